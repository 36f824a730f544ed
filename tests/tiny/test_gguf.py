"""Models in GGUF files: llama.cpp reads and computes what transformers does with the same file."""

from __future__ import annotations

import math
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from harness.engine.abilities import Identified, Reads, Streams, Tells, Timed, Tokenizes
from harness.engine.gguf.engine import SPARE, GgufEngine
from harness.engine.gguf.serving import Running, Serving
from harness.engine.registry import open_engine, open_pair, schemes
from harness.engine.requests import (
    Chat,
    Continuations,
    Generate,
    LogLikelihood,
    Message,
    MultipleChoice,
    Plain,
    RollingLogLikelihood,
)
from harness.engine.settings import Settings
from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.loading import wrap
from harness.engine.transformers.quiet import quiet
from harness.errors import EngineError, ModelError
from harness.limits import MOST_OF_TEMPLATE
from harness.models.reference import find_pair, resolve
from harness.spelling import on_command_line
from harness.store import opening
from harness.versions import VersionError
from tests.support.gguf_files import CHAT as CHAT_TEMPLATE
from tests.support.gguf_files import CONTEXT, QUANTISED, save_gguf

CHAT = Chat((Message("system", "Be brief."), Message("user", "Is it in the tin, or 🙂 outside?")))
REQUESTS = [
    Generate(CHAT, 20),
    Generate(Plain("in the tin"), 70),
    Generate(Plain("the héß"), 3),
    MultipleChoice(CHAT, ("Paris", "London", "a")),
    MultipleChoice(Plain("The capital is"), (" Paris", " 🙂")),
    Continuations(((Plain("The capital", may_cut=True), " is Paris"), (Plain("", may_cut=True), "in the"))),
    RollingLogLikelihood("The quick brown fox <|im_end|> and then the 🙂 slept.<|im_start|>"),
    RollingLogLikelihood("the tin " * CONTEXT, windows=True),
]
NEAR = 1e-3
"""How far log-probabilities may be apart, as a share: llama.cpp rounds what it keeps of tokens to half floats."""
NEAR_QUANTISED = 2e-2
"""The same where weights are quantised: llama.cpp rounds activations to eight bits too."""


def opened(path: Path, **settings) -> GgufEngine:
    engine = open_engine(resolve(str(path), schemes()), Settings(**settings))
    assert isinstance(engine, GgufEngine)
    return engine


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_gguf(tmp_path_factory.mktemp("gguf") / "tuned.gguf")


@pytest.fixture(scope="module")
def engine(path: Path) -> GgufEngine:
    return opened(path)


@pytest.fixture(scope="module")
def other(path: Path) -> TorchEngine:
    return as_transformers(path)


def as_transformers(path: Path) -> TorchEngine:
    """The same file as transformers reads it, of a context as long as llama.cpp's server leaves it."""
    with quiet():
        model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name).eval()
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    model.config.max_position_embeddings = CONTEXT - SPARE
    return wrap(model, tokenizer)


def test_it_has_the_abilities_of_an_engine(engine):
    assert all(
        isinstance(engine, ability) for ability in (Identified, Reads, Streams, Tells, Timed, Tokenizes)
    )
    assert engine.template_names == {"messages", "add_generation_prompt"}
    assert not engine.marks_reasoning


def test_it_reads_the_same_tokens(engine, other):
    assert engine.render(CHAT) == other.render(CHAT)
    assert engine.reading(CHAT) == other.reading(CHAT)
    for request in REQUESTS:
        assert engine.request_tokens(request) == other.request_tokens(request)
        assert engine.request_pieces(request) == other.request_pieces(request)


def test_it_gives_the_same_answers(engine, other):
    for request, own, theirs in zip(REQUESTS, engine.ask(REQUESTS), other.ask(REQUESTS), strict=True):
        if isinstance(request, Generate):
            assert (own, own.ended) == (theirs, theirs.ended)
        else:
            check_scores(own, theirs, NEAR)


def test_quantised_weights_give_nearly_the_same_scores(tmp_path):
    path = save_gguf(tmp_path / "m.gguf", kind=QUANTISED)
    engine, requests = opened(path), [request for request in REQUESTS if not isinstance(request, Generate)]
    assert engine.runs_on.dtype == "Q8_0"
    for own, theirs in zip(engine.ask(requests), as_transformers(path).ask(requests), strict=True):
        check_scores(own, theirs, NEAR_QUANTISED)


def check_scores(own, theirs, share):
    if isinstance(own, LogLikelihood):
        assert own.logprob == pytest.approx(theirs.logprob, rel=share)
        assert (own.tokens, own.vocabulary) == (theirs.tokens, theirs.vocabulary)
    else:
        assert own.logprobs == pytest.approx(theirs.logprobs, rel=share)
        assert own.greedy == theirs.greedy


def test_an_answer_does_not_depend_on_what_else_is_asked(engine):
    together = engine.ask(REQUESTS)
    assert [engine.ask([request])[0] for request in reversed(REQUESTS)] == together[::-1]


def test_what_the_model_would_write_is_told_as_such(engine):
    (written,) = engine.ask([Generate(Plain("the"), 6)])
    row = engine.request_tokens(Generate(Plain("the"), 1))[0]
    ids = engine.tokenizer(f"the{written.text}", add_special_tokens=False).input_ids
    assert "\ufffd" in written.text or ids[: len(row)] == row
    values = [engine.llama.likelihood(0, row, [token], again=False) for token in range(264)]
    assert sum(math.exp(value) for value, _ in values) == pytest.approx(1, abs=1e-3)
    assert [likeliest for _, likeliest in values].count(True) == 1


@pytest.mark.parametrize("limit", [1, 63, 64, 65, 200])
def test_a_limit_ends_an_answer(engine, other, limit):
    request = Generate(Plain("in the"), limit)
    [own], [theirs] = engine.ask([request]), other.ask([request])
    assert (own, own.ended) == (theirs, theirs.ended)


def test_a_stop_text_ends_an_answer(engine, other):
    (whole,) = other.ask([Generate(Plain("the tin"), 100)])
    stop = next(character for character in whole.text if character.isascii())
    request = Generate(Plain("the tin"), 100, stop=(stop,))
    [own], [theirs] = engine.ask([request]), other.ask([request])
    assert (own, own.ended) == (theirs, "stop")


def test_a_token_that_llama_cpp_knows_for_an_end_ends_the_turn(engine, tmp_path):
    """By its name, also if the file names another."""
    request = Generate(Plain("in the tin"), 70)
    (whole,) = engine.ask([request])
    ending = opened(save_gguf(tmp_path / "m.gguf", first="<|endoftext|>"))
    (cut,) = ending.ask([request])
    assert whole.text.startswith(cut.text)
    assert (whole.ended, cut.ended) == ("limit", "turn")
    assert cut.tokens < whole.tokens


def test_a_start_token_is_never_doubled(tmp_path):
    """The file asks for one before each text, and its template writes one."""
    template = "<|im_start|>{{ messages[0].content }}"
    path = save_gguf(tmp_path / "m.gguf", template=template, values={"tokenizer.ggml.add_bos_token": True})
    engine = opened(path)
    assert engine.tokens(Chat((Message("user", "the"),))) == [1, *engine.tokenizer("the", False).input_ids]
    assert engine.tokens(Plain("the")) == [1, *engine.tokenizer("the", False).input_ids]
    assert engine.tokens(Plain("<|im_start|>the")) == [1, *engine.tokenizer("the", False).input_ids]


def test_shards_are_one_model(tmp_path, path):
    save_gguf(tmp_path / "tuned.gguf", shards=8)
    first = tmp_path / "tuned-00001-of-00003.gguf"
    sharded, whole = opened(first), opened(path)
    assert sharded.runs_on.parameters == whole.runs_on.parameters
    assert sharded.ask(REQUESTS[:4]) == whole.ask(REQUESTS[:4])


def test_engines_of_one_file_share_the_model(path, tmp_path):
    copied = tmp_path / "copy.gguf"
    copied.write_bytes(path.read_bytes())
    first, second = opened(path), opened(copied)
    assert first.llama is second.llama
    assert first.identity == second.identity
    with pytest.raises(EngineError, match="is that of the baseline"):
        opening.open_pair(find_pair(str(copied), str(path), schemes=schemes()), Settings(store="off"))
    pair = open_pair(find_pair(str(path), "same", schemes=schemes()))
    assert pair.baseline is pair.tuned


def test_kept_answers_need_no_model(path, tmp_path):
    settings = Settings(store=str(tmp_path / "answers.db"))
    tuned = str(save_gguf(tmp_path / "other.gguf", seed=1))
    pair = find_pair(tuned, str(path), schemes=schemes())
    first = opening.open_pair(pair, settings)
    answers = [engine.ask(REQUESTS[:4]) for engine in (first.baseline, first.tuned)]
    assert answers[0] != answers[1]
    again = opening.open_pair(pair, settings)
    assert [engine.ask(REQUESTS[:4]) for engine in (again.baseline, again.tuned)] == answers
    assert again.tuned.opened().llama.length == first.tuned.opened().llama.length
    del first
    assert again.tuned.device.startswith("cpu, ")
    assert again.tuned.runs_on.dtype == "F32"


def test_a_longer_request_makes_room(tmp_path):
    engine = opened(save_gguf(tmp_path / "m.gguf"), batch_tokens=4096, engine_args=(("n_parallel", "4"),))
    assert engine.llama.length == 0, "nothing is loaded before a request"
    assert engine.told() == []
    (short,) = engine.ask([REQUESTS[1]])
    room = engine.llama.length
    assert engine.llama.slots == 2, "as many as the tokens have room for"
    assert told(engine) == [
        f"{engine.label}: computes 2 at once, not 4 (--engine-args=n_parallel=4), for each may take 2,048 tokens; "
        "room for all: --batch-tokens=8192"
    ]
    engine.llama.make_room(room + 1)
    assert engine.llama.length > room
    assert engine.llama.slots == 1
    assert engine.ask([REQUESTS[1]]) == [short]
    assert [": computes 1 at once, not 4" in note for note in told(engine)] == [True]


def told(engine: GgufEngine) -> list[str]:
    """What it tells, which it does once."""
    first = list(map(on_command_line, engine.told()))
    assert engine.told() == []
    return first


def test_a_file_that_changes_before_it_is_loaded_is_not_asked(tmp_path):
    path = save_gguf(tmp_path / "m.gguf", seed=2)  # no other test has loaded this one
    engine, before = opened(path), path.read_bytes()
    save_gguf(path, seed=1)
    for _ in range(2):
        with pytest.raises(EngineError, match="its files changed since the run began"):
            engine.ask([REQUESTS[1]])
    path.write_bytes(before)
    assert engine.ask([REQUESTS[1]])


def test_several_requests_at_once_give_nearly_the_same(engine, path):
    together = opened(path, engine_args=(("n_parallel", "4"),))
    requests = [request for request in REQUESTS if not isinstance(request, Generate)]
    for own, alone in zip(together.ask(requests), engine.ask(requests), strict=True):
        check_scores(own, alone, NEAR)
    assert together.llama.slots == 4
    assert together.told() == []
    assert together.identity != engine.identity


def test_an_answer_that_nobody_waits_for_is_given_up(engine):
    asked = []

    def told(answers, underway):
        asked.extend(answers)
        raise KeyboardInterrupt

    requests = [Generate(Plain(f"{number} in the"), 200) for number in range(50)]
    with pytest.raises(KeyboardInterrupt):
        engine.stream(requests, told)
    assert len(asked) == 1
    assert engine.ask(requests[1:2]) == opened(Path(engine.label)).ask(requests[1:2])


def test_reasoning_is_not_part_of_an_answer(tmp_path):
    template = CHAT_TEMPLATE.replace("assistant\n", "assistant\n<think>") + "{# </think> #}"
    path = save_gguf(tmp_path / "m.gguf", template=template)
    engine, other = opened(path), as_transformers(path)
    assert engine.marks_reasoning
    request = Generate(CHAT, 10, thinking_tokens=30)
    [own], [theirs] = engine.ask([request]), other.ask([request])
    assert own.reasoning is not None
    assert (own, own.ended, own.reasoning) == (theirs, theirs.ended, theirs.reasoning)


def test_a_prompt_that_is_too_long_is_refused(engine):
    with pytest.raises(EngineError, match=f"take [0-9]+ tokens, and the model reads {CONTEXT - SPARE}: "):
        engine.ask([Generate(Plain("tin " * CONTEXT), 4)])
    (fits,) = engine.ask([Generate(Plain("tin " * CONTEXT, may_cut=True), 4)])
    assert fits.tokens == 4


def test_a_template_has_limits(tmp_path):
    path = save_gguf(tmp_path / "m.gguf", template="x" * (MOST_OF_TEMPLATE + 1))
    with pytest.raises(ModelError, match="its chat template has .* characters, more than the limit"):
        opened(path).render(CHAT)


def test_without_a_template_a_chat_is_refused(tmp_path):
    with pytest.raises(EngineError, match="has no chat template, but the suite's format is chat"):
        opened(save_gguf(tmp_path / "m.gguf", template=None)).ask([Generate(CHAT, 4)])


def test_logits_that_are_no_numbers_are_refused(tmp_path):
    with pytest.raises(EngineError, match="its logits are no numbers, or infinite"):
        opened(save_gguf(tmp_path / "m.gguf", broken=True)).ask([Generate(Plain("the"), 4)])


def test_a_server_that_was_asked_nothing_ends(path):
    """In a process of its own, for one that does not end holds it for ever."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from harness.engine.gguf.serving import Running, Serving\n"
        "for _ in range(20): Serving('m', Path(sys.argv[1]), Running(1, 0, None, 1, 512), 1, 512)\n"
    )
    subprocess.run([sys.executable, "-c", code, path], check=True, timeout=60)


@pytest.mark.parametrize("by", ["path", "port"])
def test_only_who_has_the_key_is_answered(path, monkeypatch, by):
    if by == "port":
        monkeypatch.delattr(socket, "AF_UNIX")
    serving = Serving("m", path, Running(1, 0, None, 1, 512), 1, 512)
    assert ("llama.sock" in serving.address) == (by == "path")
    assert serving.post("/tokenize", {"content": "a"})["tokens"]
    serving.key = "another"
    with pytest.raises(EngineError, match="m: llama.cpp refuses a request: .*Invalid API Key"):
        serving.post("/tokenize", {"content": "a"})


def test_nothing_is_printed(path, tmp_path, capfd):
    opened(path).ask(REQUESTS[:2])
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(
        ModelError, match="llama.cpp cannot load it\n  tensor '.*' data is not within the file bounds"
    ):
        opened(cut).ask(REQUESTS[:2])
    assert capfd.readouterr() == ("", "")


def test_without_the_package_it_says_what_to_install(path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("harness.engine.gguf.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(
        VersionError, match=r"^a GGUF file cannot run here: .*\n  run: .*'forgetting-gate\[gguf\]'$"
    ):
        opened(path)


def test_a_file_runs_beside_a_model_of_transformers(path, base):
    pair = open_pair(find_pair(str(path), str(base), schemes=schemes()))
    assert (pair.baseline.backend, pair.tuned.backend) == ("transformers", "llama.cpp")
    assert [type(engine.ask(REQUESTS[1:3])) for engine in (pair.baseline, pair.tuned)] == [list, list]
