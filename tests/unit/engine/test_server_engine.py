"""A model behind a server of our own: what is found out, asked, kept and refused."""

from __future__ import annotations

import json
import socket
from threading import Event

import pytest

from harness.engine.requests import (
    Chat,
    ChatText,
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
from harness.models.reference import Endpoint, ModelPair
from harness.store.opening import open_pair
from tests.support.served import answered, chat, endpoint, logprob, opened, pieces, questions, serving

SECRET = "sk-live-0815"


# What is found out


def test_opening_tells_what_the_server_is():
    with serving() as server:
        pair = opened(server)
        place = server.url.removeprefix("http://").removesuffix("/v1")
        assert pair.notes == (
            f"tuned at {place}: vLLM 9.9; reads 2,048 tokens; chats go as messages, which its own template renders",
        )
        engine = pair.tuned
        assert engine.kinds == {"generate", "choose", "likelihood"}
        assert (engine.label, engine.backend) == (f"tuned at {place}", "vllm")
        assert engine.device == f"vLLM 9.9 at {place}, chats as messages"


def test_the_only_model_needs_no_name():
    with serving(models=["one"]) as server:
        assert opened(server, name="").tuned.label.startswith("one at ")


@pytest.mark.parametrize(
    ("behaviour", "name", "message"),
    [
        ({}, "", "serves 2 models, and the reference names none\n  add #NAME, one of: base, tuned"),
        ({}, "tunde", "serves no model 'tunde'\n  did you mean 'tuned'? it serves: base, tuned"),
        ({"models": []}, "", "lists no model, and the reference names none"),
        ({"statuses": {"/v1/models": (404, "{}")}}, "", "the address of most servers ends in /v1"),
        (
            {"statuses": {"/v1/models": (500, "oh")}},
            "",
            "no list of models there: 500 Internal Server Error: oh",
        ),
        ({"key": SECRET}, "tuned", "401 Unauthorized: Incorrect API key provided: None\n  it wants a key"),
        ({"statuses": {"/v1/models": (403, "no")}}, "tuned", "403 Forbidden: no\n  see whether the key"),
        ({"statuses": {"/v1/models": (301, "")}}, "tuned", "it redirects to nowhere"),
        (
            {"statuses": {"/v1/chat/completions": (404, "no"), "/v1/completions": (404, "neither")}},
            "tuned",
            "the model 'tuned' answers nothing\n  404 Not Found: no\n  404 Not Found: neither",
        ),
        (
            {"reply": lambda body, reply: {**reply, "model": "base"}},
            "tuned",
            "the server answers with the model 'base', not 'tuned'",
        ),
    ],
)
def test_a_server_that_cannot_be_used_is_explained(behaviour, name, message):
    with serving(**behaviour) as server, pytest.raises(ModelError) as raised:
        opened(server, name=name)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    "listed", [(200, '{"data": [{"id": "org/cached", "owned_by": "org"}]}'), (500, "oh")]
)
def test_transformers_serve_answers_for_a_model_that_it_does_not_list(listed):
    paths = {"paths": {"/load_model": {}, "/reset": {}, "/v1/responses": {}}}
    told = {"/v1/models": listed, "/openapi.json": (200, json.dumps(paths))}

    def revised(body, reply):
        return {**reply, "model": f"{body['model']}@main"}

    with serving(statuses=told, reply=revised, logprobs=False) as server:
        engine = opened(server).tuned
        assert (engine.backend, engine.kinds) == ("transformers serve", {"generate"})
        assert answered(engine, questions(2)).total() == 2
        assert server.asked[-1]["frequency_penalty"] == 0


def test_a_server_that_is_not_there_is_said_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = (
            f"http://127.0.0.1:{free.getsockname()[1]}/v1"  # bound, so that no server of another test gets it
        )
        with pytest.raises(EngineError, match=f"{url}: no connection: Connection refused"):
            opened(url)


def test_no_proxy_stands_before_this_machine(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with serving() as server:
        assert opened(server).tuned.kinds


def test_a_key_goes_with_each_request_and_nowhere_else(monkeypatch):
    monkeypatch.setenv("TEST_KEY", SECRET)
    with serving(key=SECRET) as server:
        pair = opened(server, key="TEST_KEY")
        answered(pair.tuned, questions(2))
        assert {headers["Authorization"] for headers in server.headers} == {f"Bearer {SECRET}"}
        assert SECRET not in repr(
            [vars(pair.tuned.fleet.address)["reference"], pair.notes, pair.tuned.identity]
        )
        server.key = "another"
        with pytest.raises(
            EngineError, match=r"401 Unauthorized: Incorrect API key provided: Bearer \(hidden\)"
        ):
            answered(pair.tuned, questions(1))


@pytest.mark.parametrize("refused", [["seed"], ["top_logprobs"], ["repetition_penalty", "seed"]])
def test_parameters_that_a_server_refuses_are_left_out_and_said(refused):
    with serving(refuses=refused) as server:
        pair = opened(server)
        assert answered(pair.tuned, questions(3)).total() == 3
        assert not {*refused} & {*server.asked[-1]}
        said = [note for note in pair.notes if "takes no" in note]
        assert [name for name in refused if "logprobs" not in name] == [
            name for name in refused for note in said if f"'{name}'" in note
        ]


# What is asked


def test_answers_come_in_order_whoever_is_asked():
    with serving() as server:
        engine = opened(server).tuned
        asked = [
            Generate(chat("Why?", enable_thinking=False), 3, ("x",)),
            Generate(Plain("Once upon"), 2),
            Generate(chat("Why?", enable_thinking=False), 3, ("x",)),
        ]
        seen = []
        answers = engine.ask(asked, lambda count, total: seen.append((count, total)))
        assert [answer.text for answer in answers] == ["tuned: Why?", "tuned: Once", "tuned: Why?"]
        assert [answer.ended for answer in answers] == [None, "limit", None]
        assert seen[0] == (0, 2)
        assert seen[-1] == (2, 2)
        bodies = {body.get("prompt", "a chat"): body for body in server.asked[-2:]}
        assert bodies["a chat"]["messages"][0] == {"role": "system", "content": "Be brief."}
        assert bodies["a chat"]["chat_template_kwargs"] == {"enable_thinking": False}
        assert (bodies["a chat"]["max_tokens"], bodies["a chat"]["stop"]) == (3, ["x"])
        assert (bodies["Once upon"]["temperature"], bodies["Once upon"]["seed"]) == (0, 0)


def sum_of(before, after):
    total = 0.0
    for word in pieces(after):
        total += logprob("tuned", before, word)
        before += word
    return total


def test_choices_are_scored_after_their_prompt():
    with serving() as server:
        engine = opened(server).tuned
        got = engine.ask([MultipleChoice(Plain("Two and two is"), (" four", " five or six"))])[0]
        assert got.logprobs == pytest.approx(
            [sum_of("Two and two is", " four"), sum_of("Two and two is", " five or six")]
        )
        shown = "<system>Be brief.</system> <user>Why?</user> <assistant>"
        got = engine.ask([MultipleChoice(chat("Why?"), (" So",))])[0]
        assert got.logprobs == pytest.approx([sum_of(shown, " So")])
        assert server.asked[-1]["add_special_tokens"] is False
        got = engine.ask(
            [Continuations(((Plain("a"), " b"), (ChatText((Message("user", "c"),), (), "d"), " e")))]
        )[0]
        assert got.logprobs == pytest.approx([sum_of("a", " b"), sum_of("<user>c</user> <assistant>d", " e")])
        assert got.greedy == (True, True)


def test_white_space_before_a_choice_is_its_own():
    with serving() as server:
        got = opened(server).tuned.ask([MultipleChoice(Plain("It is: "), ("so",))])[0]
        assert got.logprobs == pytest.approx([sum_of("It is:", " so")])


def test_a_text_is_measured_from_its_second_token():
    with serving() as server:
        got = opened(server).tuned.ask([RollingLogLikelihood("The sun rises")])[0]
        assert (got.logprob, got.tokens) == (pytest.approx(sum_of("The", " sun rises")), 2)


def test_a_choice_without_a_token_is_an_error():
    with serving() as server, pytest.raises(EngineError, match="adds no token"):
        opened(server).tuned.ask([MultipleChoice(Plain("So"), ("",))])


def test_render_shows_the_servers_own_template():
    with serving() as server:
        assert (
            opened(server).tuned.render(chat("Why?"))
            == "<system>Be brief.</system> <user>Why?</user> <assistant>"
        )
    with serving(owner="someone") as server:
        assert opened(server).tuned.render(chat("Why?")) == "[system]\nBe brief.\n[user]\nWhy?\n"


# Reasoning


def thinks(body):
    """What a template writes that opens reasoning, unless an argument or a turn says otherwise."""
    off = body.get("chat_template_kwargs", {}).get("thinking") is False or "/no_think" in str(
        body["messages"]
    )
    return "<think></think>" if off else "<think>\n"


ENDLESS = "Hm, " + "no, or yes? " * 50


@pytest.mark.parametrize("owner", ["vllm", "llamacpp"])
def test_reasoning_that_the_template_opened_is_no_answer(owner):
    with serving(opens=thinks, answers=lambda model, text: ENDLESS, owner=owner) as server:
        engine = opened(server).tuned
        assert engine.marks_reasoning
        (answer,) = engine.ask([Generate(chat("Why?"), 8, ("\n",), thinking_tokens=30)])
        assert (answer.text, answer.reasoning.closed, answer.ended) == ("", False, "limit")
        assert answer.reasoning.text == "".join(pieces(ENDLESS)[:38])
        assert (server.asked[-1]["max_tokens"], "stop" in server.asked[-1]) == (38, False)
        server.answers = lambda model, text: "Hm</think>\nYes"
        (answer,) = engine.ask([Generate(chat("And why?"), 8)])
        assert (answer.text, answer.reasoning.closed) == ("Yes", True)


@pytest.mark.parametrize("off", [chat("Why?", thinking=False), chat("Why? /no_think")])
def test_an_answer_without_reasoning_is_one_where_a_template_opens_none(off):
    with serving(opens=thinks, answers=lambda model, text: "Yes") as server:
        (answer,) = opened(server).tuned.ask([Generate(off, 8)])
        assert (answer.text, answer.reasoning) == ("Yes", None)


def test_a_server_that_gives_reasoning_apart_gives_answers_without():
    def apart(body, reply):
        thought = {} if "at once" in str(body) else {"reasoning_content": "Hm"}
        reply["choices"][0]["message" if "messages" in body else "text_"] = {"content": "Yes", **thought}
        return reply

    with serving(opens=thinks, reply=apart) as server:
        slow, quick = opened(server).tuned.ask(
            [Generate(chat("Why?"), 8), Generate(chat("Say it at once."), 8)]
        )
        assert (slow.text, slow.reasoning.text, quick.text, quick.reasoning) == ("Yes", "Hm", "Yes", None)


def test_a_server_whose_template_nothing_shows_is_asked_no_more():
    def fails(body):
        return (404, "no such path") if "max_tokens" not in body else None

    with serving(fails=fails) as server:
        engine = opened(server).tuned
        assert answered(engine, questions(3)).total() == 3
        assert engine.text_identity == "unknown"


# What is refused before anything is asked

CHOICE = MultipleChoice(Plain("a"), (" b",))


@pytest.mark.parametrize(
    ("behaviour", "request_", "why"),
    [
        (
            {"echo": False},
            CHOICE,
            "gives no log-probabilities, as 'answer: choose' and 'answer: likelihood' need",
        ),
        ({"logprobs": False}, RollingLogLikelihood("a b"), "vLLM gives no log-probabilities of prompts"),
        (
            {"owner": "sglang"},
            MultipleChoice(chat("a"), ("b",)),
            "SGLang does not show what its chat template makes",
        ),
        ({"owner": "library"}, Generate(chat("a", x=1), 3), "Ollama takes no arguments of the chat template"),
        (
            {"statuses": {"/v1/completions": (404, "no")}},
            Generate(Plain("a"), 3),
            "continues no text, by /completions: 404 Not Found: no",
        ),
        (
            {"statuses": {"/v1/chat/completions": (404, "no")}},
            Generate(chat("a"), 3),
            "answers no chats: 404",
        ),
    ],
)
def test_what_a_server_cannot_answer_is_refused_before_anything_is_asked(behaviour, request_, why):
    with serving(**behaviour) as server:
        with pytest.raises(EngineError, match="cannot be asked what the suites need") as raised:
            opened(server, asked=[*questions(1), request_])
        assert why in str(raised.value)
        opened_at = len(server.asked)
        engine = opened(server).tuned
        again = len(server.asked)
        with pytest.raises(UnansweredError):
            engine.ask([request_])
        assert (again, len(server.asked)) == (2 * opened_at, 2 * opened_at)


def test_a_request_that_a_server_refuses_is_named():
    with serving() as server:
        engine = opened(server).tuned
        server.refuses = ["stop"]
        bad = Generate(chat("b"), 3, ("x",))
        with pytest.raises(UnansweredError, match="Unsupported parameter: 'stop'") as raised:
            engine.ask([*questions(3), bad])
        assert raised.value.request == bad


def no_system(body):
    """What a template fails with that takes no system message."""
    turns = body.get("messages", [])
    return (400, "System role not supported") if any(turn["role"] == "system" for turn in turns) else None


@pytest.mark.parametrize("owner", ["vllm", "llamacpp", "someone"])
def test_a_template_that_takes_no_system_message_answers_chats_without(owner):
    with serving(fails=no_system, owner=owner) as server:
        pair = opened(server)
        engine, plain = pair.tuned, Generate(Chat((Message("user", "Why?"),)), 8)
        assert not [note for note in pair.notes if "takes no" in note]
        assert engine.ask([plain])[0].text == "tuned: Why?"
        assert "seed" in server.asked[-1]
        assert engine.identity == opened(server).tuned.identity is not None
        with pytest.raises(UnansweredError, match="400 Bad Request: System role not supported") as raised:
            engine.ask([plain, *questions(1)])
        assert raised.value.request == questions(1)[0]


# Which model it is


def test_digits_tell_models_apart_and_the_same_one_is_refused():
    with serving() as server:
        base, tuned = (opened(server, name=name).tuned.identity for name in ("base", "tuned"))
        assert base != tuned
        assert base == opened(server, name="base").tuned.identity
        server.weights = {"tuned": "other weights"}
        assert opened(server).tuned.identity != tuned
        server.weights, server.answers = {"tuned": "base"}, lambda model, text: text
        pair = ModelPair(endpoint(server, name="base", revision=1), endpoint(server, revision=2))
        with pytest.raises(EngineError, match="gives the same log-probabilities as the baseline"):
            open_pair(pair, Settings(store="off"))


def test_a_pinned_revision_is_the_identity_with_name_and_manner():
    with serving(logprobs=False) as server:
        found = [opened(server, name=name, revision="3f1c").tuned.identity for name in ("base", "tuned")]
        assert found == [f"{name} 3f1c, asked 3, chats as messages" for name in ("base", "tuned")]


def test_without_digits_nothing_is_kept_and_that_is_said():
    with serving(logprobs=False) as server:
        pair = opened(server)
        assert pair.tuned.identity is None
        assert "its answers are not kept" in pair.notes[1]
        assert "?revision=TEXT" in pair.notes[1]


def test_a_killed_run_goes_on_where_it_was_and_the_next_asks_nothing(tmp_path):
    settings, requests = Settings(store=str(tmp_path / "a.db")), questions(120)
    kill = Event()

    def model(server):
        found = endpoint(server, concurrency=4)
        return open_pair(ModelPair(found, found), settings).tuned

    def killed(count, total):
        if count >= 50:
            kill.set()
            raise KeyboardInterrupt

    def answers(model, text):
        """Those to the last twenty come after the kill, however long it takes to keep the others."""
        if text.startswith("question ") and int(text.split()[1]) >= 100:
            kill.wait(60)
        return f"{model}: {text}"

    with serving(answers=answers) as server:
        engine = model(server)
        begun = len(server.asked)
        with pytest.raises(KeyboardInterrupt):
            engine.ask(requests, killed)
        first = len(server.asked) - begun
        assert 50 <= first < 120
        engine = model(server)
        begun = len(server.asked)
        assert [answer.text for answer in engine.ask(requests)] == [
            f"tuned: question {n}" for n in range(120)
        ]
        assert len(server.asked) - begun <= 120 - 50
        begun = len(server.asked)
        engine.ask(requests)
        assert len(server.asked) == begun


def test_two_servers_of_two_models_are_refused():
    with (
        serving() as one,
        serving(weights={"tuned": "another"}) as other,
        pytest.raises(EngineError, match="serve different models: they answer the same prompts with other"),
    ):
        opened(one, other)


def ollama(digest, **behaviour):
    return serving(logprobs=False, digests=dict(digest), owner="library", **behaviour)


def test_a_model_by_two_names_is_refused_by_its_digest():
    with ollama({"base": "d1", "tuned": "d1"}) as server:
        pair = ModelPair(endpoint(server, name="base"), endpoint(server))
        with pytest.raises(
            EngineError, match="is the model of the baseline, .*: both are d1, so nothing was tuned"
        ):
            open_pair(pair, Settings(store="off"))


def test_the_only_model_is_the_same_by_its_name_and_without():
    with serving(logprobs=False, models=["tuned"]) as server:
        unnamed = Endpoint("http", endpoint(server).rest.partition("#")[0].replace("/v1", ""))
        with pytest.raises(EngineError, match="both are http://.*/v1#tuned, so nothing was tuned"):
            open_pair(ModelPair(unnamed, endpoint(server)), Settings(store="off"))


def test_servers_of_one_name_and_two_digests_are_refused():
    with ollama({"tuned": "d1"}) as one, ollama({"tuned": "d2"}) as other:
        with pytest.raises(EngineError, match="serve different models: .* digest d1, those of the other d2"):
            opened(one, other)
        with ollama({"tuned": "d1"}) as like:
            assert not any("nothing shows" in note for note in opened(one, like).notes)


def test_servers_of_which_nothing_shows_that_they_serve_one_model_are_noted():
    with serving(logprobs=False) as one, serving(logprobs=False) as other:
        assert (
            opened(one, other)
            .notes[-1]
            .endswith(
                "nothing shows that its 2 servers serve one model: they tell no digest of its files and give no log-probabilities"
            )
        )

    def rounded(body, reply):
        row = reply["choices"][0].get("logprobs") or {}
        if "content" in row:
            row["content"] = [{**token, "logprob": token["logprob"] - 0.01} for token in row["content"]]
        return reply

    with serving() as one, serving(reply=rounded) as other, serving() as like:
        assert "log-probabilities that differ, by less than 0.5 nats" in opened(one, other).notes[-1]
        assert not any("nothing shows" in note for note in opened(one, like).notes)


def test_two_servers_of_no_known_kind_are_two_engines():
    with serving(owner="me") as one, serving(owner="me") as other:
        backends = [opened(server).tuned.backend for server in (one, one, other)]
        assert backends[0] == backends[1] != backends[2]


# Servers that differ


def test_parameters_that_one_of_the_servers_refuses_are_left_out_for_all():
    with serving() as one, serving(refuses=["seed"]) as other:
        pair = opened(one, other, concurrency=1)
        assert f"{pair.tuned.label}: takes no 'seed', so it was left out" in pair.notes
        begun = len(one.asked), len(other.asked)
        assert sum(answered(pair.tuned, questions(12)).values()) == 12
        assert one.asked[begun[0] :]
        assert other.asked[begun[1] :]
        assert not any("seed" in body for body in one.asked[begun[0] :] + other.asked[begun[1] :])


def test_what_one_of_the_servers_cannot_answer_none_is_asked():
    with serving() as one, serving(echo=False) as other:
        engine = opened(one, other).tuned
        assert engine.kinds == {"generate"}
        why = engine.refusal(RollingLogLikelihood("It rains."))
        assert f"{other.url}: vLLM gives no log-probabilities of prompts" in why

    def no_texts(body):
        return None if "messages" in body else (404, "no such path")

    def no_chats(body):
        return (404, "no such path") if "messages" in body else None

    with serving() as one, serving(fails=no_texts) as other, serving(fails=no_chats) as third:
        engine = opened(one, other).tuned
        assert f"{other.url}: 404 Not Found: no such path" in engine.refusal(Generate(Plain("a"), 4))
        assert engine.refusal(Generate(chat("a"), 4)) is None
        with pytest.raises(EngineError) as raised:
            opened(other, third)
        assert str(raised.value).endswith(
            "all servers together answer nothing\n"
            f"  {third.url}: 404 Not Found: no such path\n  {other.url}: 404 Not Found: no such path"
        )


def apart(body, reply):
    """A reply with reasoning apart from the answer, if it is one to a chat."""
    for choice in reply["choices"]:
        if "message" in choice:
            choice["message"]["reasoning_content"] = "Well."
    return reply


def within(body, reply):
    """A reply with reasoning in the answer, if it is one to a chat."""
    for choice in reply["choices"]:
        if "message" in choice:
            choice["message"]["content"] = "<think>Well.</think>" + choice["message"]["content"]
    return reply


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ({}, {"owner": "sglang"}, "the kind of the first is vLLM, that of the other SGLang"),
        (
            {},
            {"fails": lambda body: (400, "use max_completion_tokens") if "max_tokens" in body else None},
            "the limit of texts of the first is max_tokens, that of the other max_completion_tokens",
        ),
        (
            {"reply": apart},
            {"reply": within},
            "the place of reasoning of the first is apart from the answer, that of the other in the answer",
        ),
    ],
)
def test_servers_that_cannot_be_asked_in_one_way_are_refused(first, second, why):
    with serving(**first) as one, serving(**second) as other:
        with pytest.raises(EngineError) as raised:
            opened(one, other)
        assert str(raised.value).endswith(
            f"{one.url} and {other.url} cannot be asked in one way: {why}\n"
            "  name servers that run one program, with the same options"
        )


# Numbers of a server


@pytest.mark.parametrize("number", [10**400, 1 << 64, -1, 1.5, True, "7"])
def test_a_count_that_is_none_is_not_taken(number):
    def counted(body, reply):
        reply["usage"]["completion_tokens"] = number
        for choice in reply["choices"]:
            if "message" in choice:
                choice["message"]["reasoning_content"] = "Well."
        return reply

    with serving(reply=counted, echo=False) as server:
        (answer,) = opened(server).tuned.ask(questions(1))
        assert (answer.text, answer.reasoning.tokens + answer.tokens) == ("tuned: question 0", 4)


@pytest.mark.parametrize("number", [float("nan"), float("-inf")])
def test_a_log_probability_that_is_no_number_is_no_answer(number):
    def damaged(body, reply):
        row = reply["choices"][0].get("logprobs") or {}
        if "damage" in str(body.get("prompt")) and "token_logprobs" in row:
            row["token_logprobs"][1] = number
        return reply

    with serving(reply=damaged) as server:
        engine = opened(server).tuned
        with pytest.raises(EngineError, match="gives no log-probability of some tokens of a prompt"):
            engine.ask([RollingLogLikelihood("What damage is done?")])
