"""The engine against brute force: one prompt at a time, no batch, no cache."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from tokenizers.processors import TemplateProcessing
from transformers import AutoTokenizer, GenerationConfig

from harness.engine.abilities import Timed
from harness.engine.requests import Chat, Generate, Message, MultipleChoice, Plain, RollingLogLikelihood
from harness.engine.settings import Settings
from harness.engine.transformers import branching
from harness.engine.transformers.forward import Forward
from harness.engine.transformers.loading import wrap
from harness.engine.transformers.rows import Rows
from harness.errors import EngineError
from tests.support.engines import load_reference

PROMPTS = ["a", "hello", "the quick brown fox", "what is 15 x 7?", "abc " * 12, "zz"]


def chat(text: str) -> Chat:
    return Chat((Message("user", text),))


@pytest.fixture(scope="module")
def engine(base):
    return load_reference(str(base))


@pytest.mark.parametrize("tokens", [40, 200, 5000])
def test_greedy_answers_are_those_of_generate_whatever_the_batch(base, reference, tokens):
    model, tokenizer = reference
    engine = load_reference(str(base), Settings(batch_tokens=tokens))
    answers = engine.ask([Generate(chat(text), 12) for text in PROMPTS])
    for text, answer in zip(PROMPTS, answers, strict=True):
        ids = tokenizer(
            f"<user>{text}<end><assistant>", add_special_tokens=False, return_tensors="pt"
        ).input_ids
        config = GenerationConfig(max_new_tokens=12, do_sample=False, eos_token_id=1, pad_token_id=1)
        written = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)[
            0, ids.shape[1] :
        ]
        written = [token for token in written.tolist() if token != 1]
        assert answer.text == tokenizer.decode(written, skip_special_tokens=True)
        assert answer.tokens == len(written)


def test_rows_of_a_group_that_several_batches_share_hold_what_was_planned(base, monkeypatch):
    made: list[Rows] = []

    class Seen(Rows):
        def __init__(self, *args):
            super().__init__(*args)
            made.append(self)

    monkeypatch.setattr(branching, "Rows", Seen)
    engine = load_reference(str(base), Settings(batch_tokens=260))
    text = "a long passage, asked about several times. " * 3
    engine.ask([Generate(Plain(f"{text}{n} is {n + 1}"), 100 if n < 2 else 2) for n in range(12)])
    assert len(made) > 1, "the group is in one batch only"
    for rows in made:
        assert rows.count * rows.layers[0].keys.shape[-2] <= 260
        assert rows.layers[0].keys.shape[-2] <= rows.most


def test_progress_moves_inside_a_batch(base):
    engine, seen = load_reference(str(base)), []
    engine.ask(
        [Generate(chat(text), 2 + 3 * n, stop=("a",)) for n, text in enumerate(PROMPTS)],
        lambda done, total: seen.append((done, total)),
    )
    counts = [done for done, _ in seen]
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert len(set(counts)) > 2
    assert seen[-1] == (len(PROMPTS), len(PROMPTS))
    assert {total for _, total in seen} == {len(PROMPTS)}
    assert sum(done == len(PROMPTS) for done in counts) == 1


def test_the_speed_is_measured(base):
    engine = load_reference(str(base))
    questions = [Generate(chat(text), 12) for text in PROMPTS]
    answers = engine.ask(questions)
    assert isinstance(engine, Timed)
    done = engine.pace
    rows = [engine.tokens(question.prompt) for question in questions]
    assert done.read == len({tuple(row[:length]) for row in rows for length in range(1, len(row) + 1)})
    assert sum(answer.tokens for answer in answers) <= done.written <= done.size.written == 12 * len(PROMPTS)
    assert min(done.reading, done.writing) > 0
    assert done.size.prompts == len(PROMPTS)
    read = done.read
    engine.ask([MultipleChoice(Plain("Answer:"), (" yes", " no"))])
    assert done.read > read
    assert done.size.prompts == len(PROMPTS) + 1
    assert engine.runs_on.parameters == sum(weight.numel() for weight in engine.model.parameters())
    assert engine.runs_on.device.startswith("cpu, ")
    assert engine.runs_on.dtype == "float32"


def brute_force_logprob(reference, context: str, continuation: str) -> float:
    model, tokenizer = reference
    before = tokenizer(context, add_special_tokens=False).input_ids
    whole = tokenizer(context + continuation, add_special_tokens=False).input_ids
    with torch.no_grad():
        logprobs = model(torch.tensor([whole])).logits[0].log_softmax(-1)
    return sum(logprobs[i - 1, whole[i]].item() for i in range(len(before), len(whole)))


@pytest.mark.parametrize("tokens", [30, 3000])
def test_choices_have_the_log_probabilities_of_brute_force(base, reference, tokens):
    engine = load_reference(str(base), Settings(batch_tokens=tokens))
    choices = (" yes", " no way", " x")
    requests = [MultipleChoice(Plain(f"Question: {text}\nAnswer:"), choices) for text in PROMPTS]
    for request, answer in zip(requests, engine.ask(requests), strict=True):
        wanted = [brute_force_logprob(reference, request.prompt.text, choice) for choice in choices]
        assert answer.logprobs == pytest.approx(wanted, abs=2e-4)


def test_white_space_at_the_end_of_a_context_belongs_to_the_choice(base, reference, engine):
    with_space = engine.ask([MultipleChoice(Plain("Answer: "), ("yes",))])[0]
    assert with_space.logprobs == pytest.approx([brute_force_logprob(reference, "Answer:", " yes")], abs=2e-4)


def test_a_text_is_measured_from_its_first_token(base, reference, engine):
    model, tokenizer = reference
    text = "some plain text, in lower case"
    ids = [0, *tokenizer(text, add_special_tokens=False).input_ids]
    with torch.no_grad():
        logprobs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
    wanted = sum(logprobs[i - 1, ids[i]].item() for i in range(1, len(ids)))
    answer = engine.ask([RollingLogLikelihood(text)])[0]
    assert answer.logprob == pytest.approx(wanted, abs=1e-3)
    assert answer.tokens == len(ids) - 1


def test_stop_texts_end_an_answer_and_are_left_out(engine):
    whole = engine.ask([Generate(chat("hello"), 20)])[0].text
    stop = whole[3:5]
    assert len(stop) == 2
    cut = engine.ask([Generate(chat("hello"), 20, (stop,)), Generate(chat("hello"), 20)])
    assert cut[0].text == whole[: whole.index(stop)]
    assert cut[1].text == whole


def test_answers_come_in_the_order_of_the_requests_and_repeats_are_asked_once(engine):
    seen = []
    requests = [Generate(chat(text), 4) for text in [*PROMPTS, *PROMPTS]]
    answers = engine.ask(requests, lambda done, total: seen.append((done, total)))
    assert answers[: len(PROMPTS)] == answers[len(PROMPTS) :]
    assert seen[-1] == (len(PROMPTS), len(PROMPTS))


def test_out_of_memory_halves_the_batch_and_loses_nothing(base, monkeypatch):
    engine = load_reference(str(base), Settings(batch_tokens=5000))
    wanted = engine.ask([Generate(chat(text), 8) for text in PROMPTS])
    read, sizes = Forward.at, []

    def scarce(forward, tokens, *rest):
        sizes.append(len(tokens))
        if len(tokens) > 20:
            raise torch.OutOfMemoryError("no memory left")
        return read(forward, tokens, *rest)

    monkeypatch.setattr(Forward, "at", scarce)
    seen = []
    asked = engine.ask([Generate(chat(text), 8) for text in PROMPTS], lambda done, _: seen.append(done))
    assert asked == wanted
    assert seen == sorted(seen)
    assert max(sizes) > 20
    assert engine.budget.tokens < 5000


def test_a_single_prompt_that_does_not_fit_the_memory_is_said(base, monkeypatch):
    engine = load_reference(str(base))
    monkeypatch.setattr(Forward, "at", lambda *a: (_ for _ in ()).throw(torch.OutOfMemoryError("no")))
    with pytest.raises(EngineError, match="a single prompt of .* does not fit the memory"):
        engine.ask([Generate(chat("a"), 4)])


def test_an_error_that_is_not_about_memory_is_not_swallowed(base, monkeypatch):
    engine = load_reference(str(base))
    monkeypatch.setattr(Forward, "at", lambda *a: (_ for _ in ()).throw(RuntimeError("a bug")))
    with pytest.raises(RuntimeError, match="a bug"):
        engine.ask([Generate(chat("a"), 4)])


@pytest.mark.parametrize(
    "request_",
    [Generate(chat("a"), 4), MultipleChoice(Plain("a b"), (" c", " d")), RollingLogLikelihood("some text")],
)
def test_nan_logits_are_an_error_not_an_answer(base, request_):
    engine = load_reference(str(base))
    with torch.no_grad():
        engine.model.model.norm.weight[0] = float("nan")
    with pytest.raises(EngineError, match="logits are NaN or infinite"):
        engine.ask([request_])


def test_a_prompt_that_is_too_long_is_said_not_cut(engine):
    with pytest.raises(EngineError, match="take 3.. tokens, and the model reads 256"):
        engine.ask([Generate(chat("a" * 300), 8)])


def test_a_choice_that_adds_no_token_is_an_error(engine):
    with pytest.raises(EngineError, match="adds no token"):
        engine.ask([MultipleChoice(Plain("abc"), ("",))])


def test_a_model_that_the_caller_loaded_is_left_as_it_was(reference):
    model, tokenizer = reference
    model.train()
    try:
        engine = wrap(model, tokenizer)
        assert engine.ask([Generate(chat("a"), 4)]) == engine.ask([Generate(chat("a"), 4)])
        assert model.training
    finally:
        model.eval()


def test_float32_is_float32_whatever_a_script_lets_torch_round(reference):
    model, tokenizer = reference
    kinds = torch.backends.cuda.matmul, torch.backends.mkldnn.matmul
    seen = set()
    hook = model.register_forward_hook(lambda *_: seen.update(kind.fp32_precision for kind in kinds))
    torch.set_float32_matmul_precision("medium")
    try:
        engine = wrap(model, tokenizer)
        engine.ask([Generate(chat("a"), 4), MultipleChoice(Plain("a"), (" b",))])
        assert engine.digits
        assert seen == {"ieee"}
        assert torch.get_float32_matmul_precision() == "medium"
        assert [kind.fp32_precision for kind in kinds] == ["tf32", "bf16"]
    finally:
        hook.remove()
        torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize("kind", ["cached", "whole"])
def test_common_beginnings_change_no_answer(base, kind):
    long = "The same long beginning of every prompt. "
    requests = [
        *(Generate(chat(long + text), 10) for text in PROMPTS),
        *(MultipleChoice(Plain(long + text), (" a", " bc")) for text in PROMPTS),
    ]
    branching, alone = load_reference(str(base)), load_reference(str(base))
    assert branching.kind == "branching"
    alone.kind = kind
    for with_common, without in zip(branching.ask(requests), alone.ask(requests), strict=True):
        if hasattr(with_common, "text"):
            assert with_common == without
        else:
            assert dataclasses.astuple(with_common)[0] == pytest.approx(without.logprobs, abs=2e-4)


# The token that begins a text


@pytest.fixture
def beginning(base, reference):
    """An engine whose tokenizer puts <s> in front of every text, and its tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 0)]
    )
    assert tokenizer("a").input_ids[:1] == [0]
    assert tokenizer("<s>a").input_ids[:2] == [0, 0]
    return wrap(reference[0], tokenizer), tokenizer


def test_a_prompt_that_begins_itself_is_begun_once(beginning, engine):
    adding, tokenizer = beginning
    plain = tokenizer("abc", add_special_tokens=False).input_ids
    assert adding.tokens(Plain("abc")) == adding.tokens(Plain("<s>abc")) == [0, *plain]
    assert engine.tokens(Plain("<s>abc")) == [0, *plain]
    assert adding.tokens(Plain("<s><s>abc")) == [0, 0, *plain]  # as it is written
    assert engine.tokens(Plain("<s><s>abc")) == [0, 0, *plain]
    assert adding.tokens(Plain("a<s>bc")) == [0, *plain[:1], 0, *plain[1:]]
    assert adding.tokens(Plain("<s>")) == adding.tokens(Plain("")) == engine.tokens(Plain("")) == [0]


@pytest.mark.parametrize(
    "ask",
    [
        lambda start: Generate(Plain(f"{start}The sky is"), 8),
        lambda start: MultipleChoice(Plain(f"{start}The sky is"), (" blue", " a nut")),
        lambda start: RollingLogLikelihood(f"{start}The sky is blue."),
    ],
    ids=["generate", "choose", "measure"],
)
def test_begun_by_the_prompt_or_by_the_tokenizer_it_is_one_question(beginning, engine, ask):
    adding, _ = beginning
    bare, written = adding.ask([ask(""), ask("<s>")])
    (unadded,) = engine.ask([ask("<s>")])
    for other in (written, unadded):
        if hasattr(bare, "text"):
            assert other == bare
        else:
            assert dataclasses.astuple(other)[0] == pytest.approx(dataclasses.astuple(bare)[0], abs=2e-4)
            assert dataclasses.astuple(other)[1:] == dataclasses.astuple(bare)[1:]
