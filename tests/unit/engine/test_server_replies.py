"""Replies of servers, from their JSON to answers: what is read, and what is asked again."""

from __future__ import annotations

import pytest

from harness.engine.requests import Chat, Generate, Message, Plain
from harness.engine.server.calls import BadReply
from harness.engine.server.canary import Canary, together
from harness.engine.server.replies import Ids, Replies, Token, tokens_of
from harness.engine.server.writing import Dialect, arguments_of, generated, limits_of
from harness.engine.transformers.reasoning import Mark
from harness.errors import ModelError

CHAT = Chat((Message("user", "Why?"),))


def reply(message, finish="stop", usage=None, **more):
    choice = {"index": 0, "finish_reason": finish, **more}
    choice |= {"text": message} if isinstance(message, str) else {"message": message}
    return {"model": "m", "choices": [choice], "usage": usage}


def read(data, stop=(), known=None, inside=None):
    return generated(data, Replies("m", Ids()).choice(data, {}), Generate(CHAT, 20, stop), known, inside)


def test_a_message_is_an_answer():
    answer = read(reply({"content": "Because."}, usage={"completion_tokens": 3}))
    assert (answer.text, answer.tokens, answer.ended, answer.reasoning) == ("Because.", 3, "turn", None)


@pytest.mark.parametrize(
    ("finish", "stop", "more", "ended"),
    [
        ("length", (), {}, "limit"),
        ("stop", (), {}, "turn"),
        ("stop", ("\n",), {}, None),
        ("stop", ("\n",), {"stop_reason": "\n"}, "stop"),
        ("stop", ("\n",), {"stop_reason": None}, "turn"),
        ("content_filter", (), {}, None),
        ("length", ("a",), {}, "stop"),
    ],
)
def test_the_end_of_an_answer(finish, stop, more, ended):
    assert read(reply("Because", finish, **more), stop).ended == ended


def test_a_stop_text_that_the_server_left_is_cut_off():
    assert read(reply("one\ntwo"), ("\n",)).text == "one"


@pytest.mark.parametrize(
    ("message", "known", "answer", "thought", "closed"),
    [
        ({"content": "\nYes", "reasoning_content": "Hm"}, None, "Yes", "Hm", True),
        ({"content": None, "reasoning": "Hm"}, None, "", "Hm", False),
        ({"content": "Yes", "reasoning_content": None, "reasoning": "Hm"}, None, "Yes", "Hm", True),
        ({"content": "<think>Hm</think>\n\nYes"}, None, "Yes", "<think>Hm</think>", True),
        ({"content": "Hm</think>Yes"}, None, "Yes", "Hm</think>", True),
        ({"content": "<think>Hm"}, None, "", "<think>Hm", False),
        ({"content": "Write <think>a</think>."}, None, "Write <think>a</think>.", None, None),
        ({"content": "<think>Hm</think>Yes"}, [], "<think>Hm</think>Yes", None, None),
        ({"content": "[r]Hm[/r]Yes"}, [Mark("[r]", "[/r]")], "Yes", "[r]Hm[/r]", True),
    ],
)
def test_reasoning_is_told_from_the_answer(message, known, answer, thought, closed):
    got = read(reply(message, "length", {"completion_tokens": 10}), known=known)
    assert got.text == answer
    if thought is None:
        assert got.reasoning is None
    else:
        assert (got.reasoning.text, got.reasoning.closed) == (thought, closed)
        assert got.tokens + got.reasoning.tokens == 10


THINK = Mark("<think>", "</think>")


@pytest.mark.parametrize("known", [None, [], [THINK]])
@pytest.mark.parametrize(
    ("text", "answer", "thought", "closed"),
    [
        ("Hm, yes", "", "Hm, yes", False),
        ("<think>Hm, yes", "", "<think>Hm, yes", False),
        ("Hm</think>\nYes", "Yes", "Hm</think>", True),
        ("Hm<think></think>Yes", "Yes", "Hm<think></think>", True),
    ],
)
def test_reasoning_that_the_prompt_opened_goes_to_its_end(known, text, answer, thought, closed):
    got = read(reply({"content": text}, "length"), known=known, inside=THINK)
    assert (got.text, got.reasoning.text, got.reasoning.closed) == (answer, thought, closed)


def test_the_server_may_count_the_tokens_of_reasoning():
    usage = {"completion_tokens": 10, "completion_tokens_details": {"reasoning_tokens": 7}}
    got = read(reply({"content": "Yes", "reasoning": "Hm"}, usage=usage))
    assert (got.tokens, got.reasoning.tokens) == (3, 7)


@pytest.mark.parametrize("thousands", ["<think>", "</think>", "[", "<"])
def test_hostile_text_takes_no_longer_than_it_is_long(thousands):
    read(reply({"content": thousands * 100_000}))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({}, "no choice"),
        ({"choices": []}, "no choice"),
        ({"choices": [{}, {}]}, "more than one choice"),
        ({"choices": "x"}, "more than one choice"),
        (reply(None), "no message"),
        (reply({"content": 7}), "no text"),
        (reply({"content": None, "tool_calls": [{}]}), "a call of a tool"),
        (reply("x", "abort"), "broke the answer off"),
        ({"error": {"message": "oops"}}, "is an error"),
    ],
)
def test_a_reply_that_is_none_is_asked_again(data, why):
    with pytest.raises(BadReply, match=why):
        read(data)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("m", "m"),
        ("org/m", "m"),
        ("m", "org/M"),
        ("gpt-5", "gpt-5-2026-01-01"),
        ("m", "m@v2"),
        ("./m", "./m@main"),
        ("m:8b", "m:8b"),
    ],
)
def test_a_name_may_have_an_owner_and_a_version_or_revision(asked, named):
    replies = Replies(asked, Ids())
    replies.choice({**reply("x"), "model": named}, {})
    assert replies.model == named


@pytest.mark.parametrize(
    ("asked", "named"), [("base-tuned", "base"), ("base", "base-tuned"), ("tuned", "other")]
)
def test_another_model_is_refused(asked, named):
    replies = Replies(asked, Ids())
    for _ in range(2):
        with pytest.raises(BadReply, match=f"of the model '{named}', not '{asked}'"):
            replies.choice({**reply("x"), "model": named}, {})
    with pytest.raises(ModelError, match=f"the server answers with the model '{named}', not '{asked}'"):
        replies.choice({**reply("x"), "model": named}, {})


def test_a_reply_to_another_request_is_known_by_its_id():
    ids = Ids()
    ids.check({"id": "1", "choices": "a"}, {"prompt": "one"})
    for prompt in ("another", "one"):  # whose it is cannot be told any more
        with pytest.raises(BadReply, match="an earlier request"):
            ids.check({"id": "1", "choices": "a"}, {"prompt": prompt})
    assert ids.twice == {"1"}


def test_a_request_that_is_sent_again_may_get_its_earlier_reply():
    ids = Ids()
    for _ in range(3):
        ids.check({"id": "1", "choices": "a"}, {"prompt": "one"})
    assert ids.twice == set()


def test_ids_that_recur_tell_nothing():
    ids = Ids()
    for content in "abab":
        ids.check({"id": "1", "choices": content}, {"prompt": content})
    assert ids.twice == set()


def test_log_probabilities_have_two_forms():
    chat = {"content": [{"token": "a", "logprob": -1, "top_logprobs": [{"token": "b", "logprob": -0.5}]}]}
    text = {"tokens": ["a", "b"], "token_logprobs": [None, -1.5], "top_logprobs": [None, {"b": -1.5}]}
    assert tokens_of({"logprobs": chat}) == [Token("a", -1.0, (-0.5,))]
    assert tokens_of({"logprobs": text}) == [Token("a", None), Token("b", -1.5, (-1.5,))]
    assert tokens_of({}) == []


@pytest.mark.parametrize(
    "logprobs",
    [
        {"tokens": ["a"], "token_logprobs": []},
        {"tokens": ["a"], "token_logprobs": ["x"]},
        {"content": [3]},
        {"tokens": "a", "token_logprobs": None},
    ],
)
def test_log_probabilities_that_make_no_sense_are_asked_again(logprobs):
    with pytest.raises(BadReply):
        tokens_of({"logprobs": logprobs})


def row(*logprobs):
    return tuple(Token("a", logprob) for logprob in logprobs)


def test_digits_tell_models_apart_and_few_digits_tell_none():
    one, other = (Canary((row(*[-0.1 * n - bit for n in range(20)]),)) for bit in (0.0, 1e-9))
    assert one.digest != other.digest
    assert Canary((row(*[-1.0] * 20),)).digest is None
    assert Canary((row(*[float("-inf"), *(-0.1 * n for n in range(20))]),)).digest is None
    assert Canary(()).digest is None


def test_servers_of_one_model_have_one_digest_in_any_order():
    one, other = (Canary((row(*[-0.1 * n - bit for n in range(20)]),)) for bit in (0.0, 1e-9))
    assert together([one, other]) == together([other, one]) != together([one])
    assert together([one, one]) == one.digest
    assert together([one, Canary(())]) is None
    assert one.is_like(other)
    assert not one.is_like(Canary((row(-3.0),)))


def test_a_body_is_greedy_and_leaves_out_what_is_refused():
    dialect = Dialect(
        frozenset({"seed"}), {"max_tokens": "max_completion_tokens"}, {"samplers": ["temperature"]}
    )
    assert dialect.body("m", max_tokens=3) == {
        "model": "m", "temperature": 0, "samplers": ["temperature"], "max_completion_tokens": 3,
    }  # fmt: skip


def test_arguments_of_the_template_have_a_parameter_of_their_own():
    assert arguments_of((("a", "1"), ("b", '"x"'))) == {"chat_template_kwargs": {"a": 1, "b": "x"}}
    assert arguments_of(()) == {}


@pytest.mark.parametrize(
    ("prompt", "thinking", "reasons", "limits"),
    [
        (CHAT, None, False, {"max_tokens": 20, "stop": ["a", "b", "c", "d"]}),
        (CHAT, 30, False, {"max_tokens": 20, "stop": ["a", "b", "c", "d"]}),
        (CHAT, 30, True, {"max_tokens": 50}),
        (
            Chat(CHAT.messages, (("enable_thinking", "false"),)),
            30,
            True,
            {"max_tokens": 20, "stop": ["a", "b", "c", "d"]},
        ),
        (Chat(CHAT.messages), None, True, {"max_tokens": 1044}),
        (Plain("x"), None, True, {"max_tokens": 20, "stop": ["a", "b", "c", "d"]}),
    ],
)
def test_reasoning_has_room_of_its_own(prompt, thinking, reasons, limits):
    assert limits_of(Generate(prompt, 20, tuple("abcde"), thinking), reasons) == limits


@pytest.mark.parametrize("prompt", [CHAT, Plain("x<think>")])
def test_reasoning_that_a_prompt_opened_has_room_of_its_own(prompt):
    assert limits_of(Generate(prompt, 20, ("a",), 30), False, THINK) == {"max_tokens": 50}
