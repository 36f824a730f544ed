"""Requests are cut into parts that shrink, so that several processes end at about the same time; and survive as JSON data."""

from __future__ import annotations

import json

import pytest

from harness.engine.answers import as_request, request_data
from harness.engine.batching import Budget
from harness.engine.cutting import cut
from harness.engine.functions import FunctionEngine
from harness.engine.pace import Pace, RunsOn
from harness.engine.requests import (
    Chat,
    ChatText,
    Continuations,
    Generate,
    Message,
    MultipleChoice,
    Plain,
    RollingLogLikelihood,
)

CHAT = (Message("system", "Be short."), Message("user", "Hi \ud83d"))
REQUESTS = [
    Generate(Chat(CHAT), 5, ("x", "\n"), 7),
    Generate(Chat(CHAT, (("enable_thinking", "false"),)), 5),
    Generate(ChatText(CHAT, begun="A: "), 5),
    Generate(ChatText(CHAT), 5),
    Generate(Plain("Hi", may_cut=True), 5),
    MultipleChoice(Plain("Hi"), (" a", " b")),
    Continuations(((Plain("Hi"), " a"), (Chat(CHAT), "b"))),
    RollingLogLikelihood("Hi"),
    RollingLogLikelihood("Hi", windows=True),
]


class Batching(FunctionEngine):
    """Reads several requests at once, in some dtype."""

    def __init__(self, tokens: int, dtype: str = "float32") -> None:
        super().__init__(str.upper)
        self.budget = Budget(tokens)
        self.pace = Pace()
        self.runs_on = RunsOn("m", 1, "cpu", dtype, "t")


def asked(*texts: str) -> list[Generate]:
    return [Generate(Plain(text), 10) for text in texts]


def sizes(engine, requests, processes=2):
    return [len(part) for part in cut(engine, requests, processes)]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: type(request).__name__)
def test_a_request_comes_back_whole_from_json(request_):
    back = as_request(json.loads(json.dumps(request_data(request_))))
    assert back == request_
    assert type(getattr(back, "prompt", None)) is type(getattr(request_, "prompt", None))


def test_parts_shrink_and_hold_every_request_once_in_order():
    requests = asked(*map(str, range(60)))
    parts = cut(FunctionEngine(str), requests, 2)
    assert [len(part) for part in parts] == [15, 12, 9, 6, 5, 4, 3, 2, 1, 1, 1, 1]
    assert [index for part in parts for index in part] == list(range(60))


@pytest.mark.parametrize(("processes", "expected"), [(1, [4]), (2, [1, 1, 1, 1]), (8, [1, 1, 1, 1])])
def test_few_requests_are_cut_for_several_processes_alone(processes, expected):
    assert sizes(FunctionEngine(str), asked("a", "b", "c", "d"), processes) == expected


def test_there_may_be_nothing_to_ask():
    assert cut(FunctionEngine(str), [], 2) == []


def test_no_part_is_smaller_than_a_batch():
    requests = asked(*(f"{number} {'word ' * 5}" for number in range(64)))
    parts = sizes(Batching(150), requests)
    assert sum(parts) == 64
    assert len(parts) > 2
    assert min(parts) >= 4  # half of the eight that fill a batch


def test_one_batch_is_one_part():
    assert sizes(Batching(10_000), asked(*map(str, range(64)))) == [64]


def test_what_begins_alike_goes_together_and_counts_once():
    long = "a passage of many words " * 50
    texts = [f"{long if number % 2 else ''}{number:02}" for number in range(40)]
    parts = cut(Batching(100), asked(*texts), 2)
    assert len(parts) > 1
    mixed = [part for part in parts if len({index % 2 for index in part}) > 1]
    assert len(mixed) <= 1


def test_equal_requests_are_in_one_part():
    parts = cut(Batching(1), asked(*["same", "other"] * 20), 2)
    assert [{index % 2 for index in part} for part in parts] == [{1}, {0}]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_answers_that_depend_on_the_batch_are_asked_in_one(dtype):
    assert sizes(Batching(1, dtype), asked(*map(str, range(64)))) == [64]
