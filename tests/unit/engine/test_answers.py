"""Answers and requests as plain data, and back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.engine.answers import as_answer, as_data, request_data, request_key
from harness.engine.requests import (
    Chat,
    ChoiceLogProbs,
    Generate,
    Generated,
    LogLikelihood,
    Message,
    MultipleChoice,
    Plain,
    Reasoning,
    RollingLogLikelihood,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NATS = st.floats(-1e6, 0)
TOKENS = st.integers(0, 1000)
REASONING = st.none() | st.builds(Reasoning, TEXTS, TOKENS, st.booleans())
ANSWERS = (
    st.builds(
        Generated,
        TEXTS,
        TOKENS,
        st.sampled_from(["turn", "stop", "limit", None]),
        REASONING,
        st.none() | NATS,
    )
    | st.builds(lambda logprobs: ChoiceLogProbs(tuple(logprobs)), st.lists(NATS, max_size=5))
    | st.builds(LogLikelihood, NATS, TOKENS, st.none() | TOKENS)
)


@given(ANSWERS)
def test_an_answer_comes_back_whole_from_json(answer):
    back = as_answer(json.loads(json.dumps(as_data(answer))))
    assert back == answer
    assert as_data(back) == as_data(answer), "also what equality leaves out"


def test_half_a_surrogate_pair_is_escaped():
    assert as_data(Generated("\ud83d!", 1)) == {"kind": "generate", "text": "\\ud83d!", "tokens": 1}


@pytest.mark.parametrize(
    "data",
    [{}, {"kind": "sung"}, {"kind": "generate", "tokens": 1}, {"kind": "choose"},
     {"kind": "likelihood", "logprobs": [-1.0, -2.0], "tokens": 3}],
)  # fmt: skip
def test_other_data_is_an_error(data):
    with pytest.raises((KeyError, TypeError, ValueError)):
        as_answer(data)


CHAT = Chat((Message("user", "Hi"),))


def test_a_key_does_not_know_what_says_nothing():
    """Keys are what they were before templates had arguments and reasoning a limit."""
    assert request_data(Generate(CHAT, 5)) == {
        "kind": "Generate", "prompt": {"messages": ({"role": "user", "content": "Hi"},)}, "max_new_tokens": 5, "stop": (),
    }  # fmt: skip


def test_what_an_answer_depends_on_makes_another_key():
    requests = [
        Generate(CHAT, 5), Generate(CHAT, 6), Generate(CHAT, 5, ("x",)), Generate(CHAT, 5, (), 7), Generate(Plain("Hi"), 5),
        Generate(Chat(CHAT.messages, (("enable_thinking", "false"),)), 5),
        MultipleChoice(Plain("Hi"), ("a", "b")), MultipleChoice(Plain("Hi"), ("b", "a")), RollingLogLikelihood("Hi"),
    ]  # fmt: skip
    assert len({request_key(request) for request in requests}) == len(requests)
