"""A server with `tokenizer=FOLDER`: it is sent the very tokens that transformers would read here."""

from __future__ import annotations

import pytest
from transformers import AutoTokenizer

from harness import compare_forms, run_gate
from harness.engine import prompts
from harness.engine.abilities import Reads, Tokenizes
from harness.engine.registry import open_pair
from harness.engine.requests import (
    Chat,
    Continuations,
    Generate,
    Message,
    MultipleChoice,
    Plain,
    RollingLogLikelihood,
    UnansweredError,
)
from harness.engine.settings import Settings
from harness.errors import EngineError, ModelError
from harness.evaluation.form_prompts import prompt_cause
from harness.evaluation.prompts import prompt_difference
from harness.models.reference import Endpoint, FullModel, ModelPair
from harness.scoring import SCORERS
from harness.suites.read import read_suite
from tests.support import served
from tests.support.served import endpoint, logprob, serving

CHAT = Chat((Message("user", "Why is it so?"),))


def opened(server, folder):
    model = Endpoint("http", f"{server.url.removeprefix('http:')}?tokenizer={folder}#tuned")
    return open_pair(ModelPair(model, model), Settings())


@pytest.fixture
def server(base):
    with serving(decode=AutoTokenizer.from_pretrained(base).decode) as server:
        yield server


def test_prompts_go_as_the_tokens_of_transformers(server, base):
    local = FullModel("base", base)
    here = open_pair(ModelPair(local, local), Settings(device="cpu")).tuned
    pair = opened(server, base)
    engine = pair.tuned
    assert engine.device.endswith(", chats as tokens")
    assert f"chats go as tokens, through the template of {base}" in pair.notes[0]
    assert engine.render(CHAT) == here.render(CHAT)
    for request in (Generate(CHAT, 3), Generate(Plain("It is so"), 3)):
        engine.ask([request])
        assert [server.asked[-1]["prompt"]] == here.request_tokens(request)
    choice = MultipleChoice(CHAT, ("yes", "no, never"))
    requests = [choice, Continuations(((Plain("It is"), " so"),)), RollingLogLikelihood("It is so")]
    for request in requests:
        rows, before = here.request_tokens(request), len(server.asked)
        answer = engine.ask([request])[0]
        sent = [body["prompt"] for body in server.asked[before:]]
        assert sent == rows
        if request is choice:
            context, whole = here.tokens(CHAT, choosing=True), rows[0]
            text = server.decode
            expected = sum(
                logprob("tuned", "".join(text([token]) for token in whole[:place]), text([whole[place]]))
                for place in range(len(context), len(whole))
            )
            assert answer.logprobs[0] == pytest.approx(expected)


def test_it_tells_the_tokens_that_it_sends(server, base):
    local = FullModel("base", base)
    here = open_pair(ModelPair(local, local), Settings(device="cpu")).tuned
    engine = opened(server, base).tuned
    assert isinstance(engine, Tokenizes)
    assert isinstance(engine, Reads)
    choice = MultipleChoice(CHAT, ("yes", "no, never"))
    for request in (Generate(CHAT, 3), choice, RollingLogLikelihood("It is so")):
        assert engine.request_tokens(request) == here.request_tokens(request)
        assert engine.request_pieces(request) == here.request_pieces(request)
    for choosing in (False, True):
        assert engine.tokens(CHAT, choosing) == here.tokens(CHAT, choosing)
        assert engine.reading(CHAT, choosing) == here.reading(CHAT, choosing)
    assert engine.template_names == here.template_names
    assert not isinstance(
        open_pair(ModelPair(endpoint(server), endpoint(server)), Settings()).tuned, Tokenizes
    )


def test_a_server_that_reads_other_tokens_than_it_is_sent_measures_nothing(server, base):
    engine = opened(server, base).tuned
    choice = MultipleChoice(CHAT, ("yes", "no, never"))
    sent = len(engine.request_tokens(choice)[0])

    def reply(body, told):
        if body.get("echo"):
            told["usage"]["prompt_tokens"] += 1
            for key, first in (("tokens", "<s>"), ("token_logprobs", None), ("top_logprobs", None)):
                told["choices"][0]["logprobs"][key].insert(0, first)
        return told

    server.reply = reply
    with pytest.raises(
        UnansweredError, match=f"was sent {sent} tokens and read {sent + 1}, so what it measures"
    ):
        engine.ask([choice])


def test_a_server_that_reads_other_tokens_than_it_is_sent_answers_nothing(server, base):
    engine = opened(server, base).tuned
    sent = len(engine.request_tokens(Generate(CHAT, 3))[0])

    def cut(body, told):
        told["usage"]["prompt_tokens"] -= 1
        return told

    server.reply = cut
    with pytest.raises(UnansweredError, match=f"was sent {sent} tokens and read {sent - 1}"):
        engine.ask([Generate(CHAT, 3)])


@pytest.fixture
def texts(tmp_path):
    """The file of a suite of texts."""
    path = tmp_path / "texts.yaml"
    probes = "".join(f"- {{id: p{i}, text: 'A text of several words, number {i}.'}}\n" for i in range(12))
    path.write_text(
        "suite: texts\ntask: {format: text, answer: likelihood}\nscore: {likelihood: {max_rise: 0.05}}\n"
        f"gates: [{{over: all, max_rise: 0.05}}]\nprobes:\n{probes}"
    )
    return path


def test_texts_beside_transformers_are_gated_with_a_tokenizer_and_refused_without(server, base, texts):
    def gated(parameters):
        return run_gate(str(base), texts, f"{server.url}{parameters}#tuned", device="cpu")

    record = gated(f"?tokenizer={base}")
    assert record.run.engines == {"baseline": "vllm", "tuned": "transformers"}
    assert [(row.suite, row.n, row.verdict) for row in record.gates] == [("texts", 12, "FORGOTTEN")]
    with pytest.raises(
        EngineError, match=r"cannot tell the tokens that it reads\n  name the tokenizer of a model"
    ):
        gated("")


def test_a_server_that_has_no_start_token_before_texts_is_named(server, base, texts, monkeypatch):
    monkeypatch.setattr(served, "pieces", list)  # the tokens of the tiny model
    bare = f"{server.url}#tuned"
    for forms in ([str(base), bare], [bare, str(base)]):
        [record] = compare_forms(forms, texts, device="cpu")
        [cause] = record.run.equal.causes
        assert cause.kind == "start token"
        assert cause.seen == (
            f"{bare} measures 12 texts from the second token on, one fewer than {base}, which puts a start token before each"
        )
        assert cause.remedy.endswith("?tokenizer=FOLDER")
    [record] = compare_forms([str(base), f"{server.url}?tokenizer={base}#tuned"], texts, device="cpu")
    assert record.run.equal.causes == []


@pytest.fixture
def of_folder(base, tmp_path):
    """A folder with the tokenizer of the base, and more at the end of its chat template."""

    def written(more: str):
        tokenizer = AutoTokenizer.from_pretrained(base)
        tokenizer.chat_template += more
        tokenizer.save_pretrained(tmp_path / "folder")
        return tmp_path / "folder"

    return written


def test_reasoning_that_the_template_here_opened_is_no_answer(server, of_folder):
    engine = opened(server, of_folder("{% if add_generation_prompt %}<think>\n{% endif %}")).tuned
    server.answers = lambda model, text: "Hm, yes"
    (answer,) = engine.ask([Generate(CHAT, 3, thinking_tokens=5)])
    assert (answer.text, answer.reasoning.text, answer.reasoning.closed) == ("", "Hm, yes", False)
    assert server.asked[-1]["max_tokens"] == 8


def test_a_template_here_may_reject_some_chats(server, of_folder):
    rejects = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system message') }}{% endif %}"
    engine = opened(server, of_folder(rejects)).tuned
    assert engine.ask([Generate(CHAT, 3)])[0].text
    system = Generate(Chat((Message("system", "Be brief."), *CHAT.messages)), 3)
    with pytest.raises(UnansweredError, match="its chat template rejects this chat") as raised:
        engine.ask([system])
    assert raised.value.request == system


def test_a_server_that_takes_no_tokens_is_refused(server, base):
    server.statuses = {"/v1/completions": (400, "prompt must be text")}
    with pytest.raises(
        ModelError, match="takes no tokens, as 'tokenizer' needs: 400 Bad Request: prompt must be text"
    ):
        opened(server, base)


def test_prompts_beside_a_server_are_compared_as_texts_where_it_shows_them(base, tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(
        "suite: s\ntask: {prompt: '{q}'}\nscore: contains\ngates: [{over: each}]\nprobes:\n- {id: a, q: Why?, answer: so}\n"
    )
    suite = read_suite(path, SCORERS)
    local = FullModel("base", base)
    here = open_pair(ModelPair(local, local), Settings(device="cpu")).tuned
    asked = [prompts.request(suite, probe) for probe in suite.probes]
    decode = AutoTokenizer.from_pretrained(base).decode
    with serving(owner="me", decode=decode) as server:
        hidden = open_pair(ModelPair(endpoint(server), endpoint(server)), Settings()).tuned
        for engine in (opened(server, base).tuned, hidden):
            assert prompt_difference(suite, suite.probes, here, engine) is None
            assert prompt_cause(asked, here, engine) is None
        assert [engine.shows(asked[0].prompt) for engine in (opened(server, base).tuned, hidden)] == [
            True,
            False,
        ]
