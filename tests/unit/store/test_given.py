"""Engines of users' code: those that tell which model they ask are asked once; what proves nothing is not kept."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from harness.authoring.conditions import equivalent_conditions
from harness.engine.abilities import Batches, Templated
from harness.engine.batching import Budget
from harness.engine.functions import FunctionEngine
from harness.engine.place import place_of
from harness.engine.requests import (
    Chat,
    ChoiceLogProbs,
    EnginePair,
    Generate,
    Generated,
    LogLikelihood,
    Message,
    MultipleChoice,
    Plain,
    RollingLogLikelihood,
)
from harness.engine.reshaped import smaller_batches
from harness.engine.settings import Settings
from harness.errors import EngineError
from harness.scoring import SCORERS
from harness.store import content
from harness.store.carrying import export, import_file
from harness.store.database import Database
from harness.store.given import check_apart, kept
from harness.store.opening import keep_given
from harness.store.shelf import Store
from harness.suites.read import read_suite
from tests.support.suites import suite_text

REQUESTS = [Generate(Plain(text), 5) for text in "abcde"]
CHOOSE = MultipleChoice(Plain("a"), ("b", "c"))
MEASURE = RollingLogLikelihood("a")


class Mine:
    """An engine of a user's own, which numbers its answers."""

    label = "mine"
    kinds = frozenset({"generate", "choose", "likelihood"})

    def __init__(self, identity="mine, version 1", answer=None):
        self.identity = identity
        self.answer = answer
        self.asked = []

    def render(self, prompt):
        return "rendered"

    def ask(self, requests, progress=None):
        self.asked += requests
        if callable(self.answer):
            return self.answer(requests)
        return [self.answer or Generated(f"answer {number}", 1, "turn") for number, _ in enumerate(requests)]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "answers.db", lambda text: None)


def test_an_engine_with_an_identity_is_asked_once(store):
    first, second = Mine(), Mine()
    answers = kept(first, store).ask(REQUESTS)
    assert kept(second, store).ask(REQUESTS) == answers
    assert (first.asked, second.asked) == (REQUESTS, [])


def test_another_identity_is_another_model(store):
    other = Mine("mine, version 2")
    kept(Mine(), store).ask(REQUESTS)
    kept(other, store).ask(REQUESTS)
    assert other.asked == REQUESTS


@pytest.mark.parametrize("identity", [None, ""])
def test_without_an_identity_nothing_is_kept(store, identity):
    engine = Mine(identity)
    assert kept(engine, store) is engine
    assert kept(FunctionEngine(str.upper), store).__class__ is FunctionEngine


def test_an_identity_that_is_no_text_is_refused(store):
    with pytest.raises(EngineError, match="mine: its identity must be text, or None, saw int"):
        kept(Mine(3), store)


def test_two_models_with_one_identity_are_refused(tmp_path):
    said = (
        "mine: its identity 'mine, version 1' is that of the baseline, mine, so nothing was tuned\n"
        "  an identity names a model and its version; on purpose: --baseline=same, or one engine for both"
    )
    for store in ("off", str(tmp_path / "answers.db")):
        with pytest.raises(EngineError) as caught:
            keep_given(EnginePair(Mine(), Mine()), Settings(store=store))
        assert caught.value.on_command_line == said
    same = Mine()
    pair = keep_given(EnginePair(same, same), Settings(store=str(tmp_path / "answers.db")))
    assert pair.baseline is pair.tuned
    check_apart(Mine(None), Mine(None))


# What is kept


@dataclass
class Text:
    text: str


NOTHING = {
    "another kind": (REQUESTS[0], ChoiceLogProbs((-1.0, -2.0))),
    "no text": (REQUESTS[0], Generated(b"bytes", 1)),  # type: ignore[arg-type]
    "no number": (REQUESTS[0], Generated("text", "one")),  # type: ignore[arg-type]
    "no answer": (REQUESTS[0], Text("text")),
    "nothing at all": (REQUESTS[0], None),
    "text that cannot be written": (REQUESTS[0], Generated("\ud800", 1)),
    "too few choices": (CHOOSE, ChoiceLogProbs((-1.0,))),
    "NaN": (CHOOSE, ChoiceLogProbs((math.nan, -1.0))),
    "infinite": (CHOOSE, ChoiceLogProbs((-math.inf, -1.0))),
    "certain": (MEASURE, LogLikelihood(0.0, 3)),
    "of no token": (MEASURE, LogLikelihood(-1.0, 0)),
}


@pytest.mark.parametrize(("request_", "answer"), NOTHING.values(), ids=NOTHING)
def test_an_answer_that_proves_nothing_is_passed_on_and_not_kept(store, request_, answer):
    engine = Mine(answer=lambda requests: [answer] * len(requests))
    assert kept(engine, store).ask([request_])[0] is answer
    kept(engine, store).ask([request_])
    assert engine.asked == [request_, request_]


@pytest.mark.parametrize("answer", [ChoiceLogProbs((-1.0, -0.5), (True, False)), LogLikelihood(-1.5, 3, 100)])
def test_numbers_are_kept(store, answer):
    request = CHOOSE if isinstance(answer, ChoiceLogProbs) else MEASURE
    kept(Mine(answer=answer), store).ask([request])
    again = Mine()
    [read] = kept(again, store).ask([request])
    assert (read, again.asked) == (answer, [])
    assert getattr(read, "greedy", ()) == getattr(answer, "greedy", ())


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (lambda requests: [Generated("", 1)], "mine: gave 1 answers to 5 requests"),
        (lambda requests: None, "mine: must give a list of answers, saw NoneType"),
    ],
)
def test_a_list_that_answers_something_else_is_refused(store, answers, said):
    with pytest.raises(EngineError) as caught:
        kept(Mine(answer=answers), store).ask(REQUESTS)
    assert caught.value.text == said


class Streaming(Mine):
    def stream(self, requests, done):
        for request in self.answer(requests):
            done({request: Generated("text", 1)}, 0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda requests: requests[:2], "mine: gave 2 answers to 5 requests"),
        (lambda requests: [Generate(Plain("else"), 5)], "mine: gave answers to what it was not asked"),
    ],
)
def test_a_stream_that_answers_something_else_is_refused(store, given, said):
    with pytest.raises(EngineError) as caught:
        kept(Streaming(answer=given), store).ask(REQUESTS)
    assert caught.value.text == said


def test_a_function_loses_no_answer_when_it_breaks(store):
    asked = []

    def function(prompt):
        asked.append(prompt)
        if prompt == "d" and len(asked) == 4:
            raise OSError("the server is down")
        return prompt.upper()

    def engine():
        return kept(FunctionEngine(function, "served", identity="served, version 1"), store)

    with pytest.raises(EngineError, match="it raised OSError: the server is down"):
        engine().ask(REQUESTS)
    seen = []
    answers = engine().ask(REQUESTS, lambda done, total: seen.append((done, total)))
    assert [answer.text for answer in answers] == list("ABCDE")
    assert asked == ["a", "b", "c", "d", "d", "e"]
    assert (seen[0], seen[-1]) == ((3, 5), (5, 5))


# What is asked although it is known


def test_the_same_is_asked_again_where_noise_is_measured(store, tmp_path):
    engine = Mine()
    stored = kept(engine, store)
    stored.ask(REQUESTS)
    for step in (1, 2, 1):
        smaller_batches(stored, REQUESTS, step).ask(REQUESTS)
    assert engine.asked == REQUESTS * 3
    (tmp_path / "s.yaml").write_text(suite_text("s", 4))
    once, again = equivalent_conditions(stored, read_suite(tmp_path / "s.yaml", SCORERS))
    assert (once.name, once.engine, again.name) == ("asked once", stored, "asked again")
    assert again.engine is not stored


def test_other_batches_are_those_of_the_given_engine(store):
    engine, budgets = Mine(), []
    engine.budget = Budget(1000)
    stored = kept(engine, store)
    engine.__class__ = type(
        "Noting",
        (Mine,),
        {"ask": lambda self, r, p: (budgets.append(self.budget.tokens), Mine.ask(self, r))[1]},
    )
    assert isinstance(stored, Batches)
    stored.ask(REQUESTS)
    smaller = smaller_batches(stored, REQUESTS)
    smaller.ask(REQUESTS)
    smaller.ask(REQUESTS)
    assert budgets == [1000, smaller.budget.tokens]


# What it is besides


def test_it_tells_what_the_given_engine_tells(store):
    engine = Mine()
    engine.template_names = frozenset({"messages"})
    engine.device, engine.dtype = "a machine", "int8"
    stored = kept(engine, store)
    assert isinstance(stored, Templated)
    assert (stored.template_names, stored.device, stored.dtype) == ({"messages"}, "a machine", "int8")
    assert (stored.label, stored.kinds) == (engine.label, engine.kinds)
    assert stored.render(Chat((Message("user", "a"),))) == "rendered"
    assert not isinstance(kept(Mine("plain"), store), Templated | Batches)


def test_its_place_is_that_of_the_given_engine(store):
    assert place_of(kept(Mine(), store)) == place_of(Mine()) == "the engine Mine of test_given.py"
    function = FunctionEngine(lambda prompt: prompt, identity="f")
    assert place_of(kept(function, store)) == place_of(function) == "a function of test_given.py"


def test_its_answers_can_be_carried_elsewhere(store, tmp_path, monkeypatch):
    kept(Mine(), store).ask(REQUESTS)
    here, there = Database(tmp_path / "answers.db"), Database(tmp_path / "there.db")
    assert export(here, here.models(), tmp_path / "carried") == len(REQUESTS)
    monkeypatch.setattr(content, "installed", lambda: {"versions": {"torch": "another"}})
    [model] = import_file(tmp_path / "carried", there)
    assert (model.name, model.answers) == ("mine", len(REQUESTS))
    again = Mine()
    kept(again, Store(tmp_path / "there.db", lambda text: None)).ask(REQUESTS)
    assert again.asked == []
