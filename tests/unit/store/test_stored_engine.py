"""An engine with a store around it is asked only what was never answered, and answers the same."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import pytest

from harness.engine.batching import Budget
from harness.engine.pace import Pace
from harness.engine.requests import (
    Chat,
    ChoiceLogProbs,
    Generate,
    Generated,
    LogLikelihood,
    Message,
    MultipleChoice,
    Plain,
    RollingLogLikelihood,
)
from harness.engine.reshaped import smaller_batches
from harness.errors import EngineError
from harness.store.engine import StoredEngine, StoredLocalEngine
from harness.store.shelf import Store

REQUESTS = [
    Generate(Plain("a"), 5),
    Generate(Chat((Message("user", "a"),)), 5),
    Generate(Chat((Message("user", "a"),), (("thinking", "true"),)), 5),
    Generate(Plain("a"), 6),
    Generate(Plain("a"), 5, ("\n",)),
    Generate(Plain("a"), 5, (), 10),
    MultipleChoice(Plain("a"), ("b", "c")),
    RollingLogLikelihood("a"),
]
FACTS = {
    "label": "tuned",
    "kinds": ["generate"],
    "budget": 100,
    "template_names": None,
    "marks_reasoning": False,
    "runs_on": {"model": "tuned", "parameters": 1, "device": "cpu", "dtype": "float32", "engine": "fake"},
}


class Fake:
    """Answers each request with its place among all that it was asked."""

    label = "fake"
    kinds = frozenset({"generate", "choose", "likelihood"})

    def __init__(self) -> None:
        self.budget = Budget(100)
        self.pace = Pace()
        self.asked = []

    def ask(self, requests, progress=None):
        answers = []
        for request in requests:
            self.asked.append(request)
            number = len(self.asked)
            match request:
                case Generate():
                    answers.append(Generated(f"answer {number}", number, "turn"))
                case MultipleChoice():
                    answers.append(ChoiceLogProbs((-0.1 * number, -1 / 3)))
                case RollingLogLikelihood():
                    answers.append(LogLikelihood(-number / 7, number, 10))
        return answers

    def render(self, prompt):
        return "rendered"


class Streaming(Fake):
    """Gives its answers two by two, and breaks before the fifth request if it is told to."""

    breaks = False

    def stream(self, requests, done):
        for begin in range(0, len(requests), 2):
            if self.breaks and begin == 4:
                raise EngineError("broken")
            some = requests[begin : begin + 2]
            done({}, 1)
            done(dict(zip(some, self.ask(some), strict=True)), 0)


@pytest.fixture
def said():
    return []


@pytest.fixture
def store(tmp_path, said):
    return Store(tmp_path / "answers.db", said.append)


def stored(engine, store, content=("m",)):
    return StoredEngine(lambda: engine, store.shelf("tuned", {"model": content}), "tuned", engine.kinds)


def local(engine, store, exact=True):
    return StoredLocalEngine(lambda: engine, store.shelf("tuned", {"model": "m"}), FACTS, exact, "text")


def never():
    pytest.fail("the model was loaded")


@pytest.mark.parametrize("kind", [Fake, Streaming])
def test_the_same_is_asked_once(store, kind):
    engine = kind()
    first = stored(engine, store).ask([*REQUESTS, *REQUESTS[:3]])
    assert engine.asked == REQUESTS
    again = StoredEngine(never, store.shelf("tuned", {"model": ("m",)}), "tuned", engine.kinds)
    assert again.ask([*reversed(REQUESTS)]) == first[len(REQUESTS) - 1 :: -1]
    assert [answer.ended for answer in again.ask(REQUESTS[:1])] == ["turn"]


def test_only_what_is_missing_is_asked(store):
    engine = Fake()
    stored(engine, store).ask(REQUESTS[:3])
    assert len(stored(engine, store).ask(REQUESTS)) == len(REQUESTS)
    assert engine.asked == REQUESTS


def test_another_model_is_asked_anew(store):
    engine = Fake()
    stored(engine, store).ask(REQUESTS)
    stored(engine, store, ("other",)).ask(REQUESTS)
    assert engine.asked == REQUESTS * 2


def test_an_error_loses_no_answer_that_came_before(store):
    engine = Streaming()
    engine.breaks = True
    with pytest.raises(EngineError, match="broken"):
        stored(engine, store).ask(REQUESTS)
    engine.breaks = False
    stored(engine, store).ask(REQUESTS)
    assert engine.asked == REQUESTS


def test_progress_counts_what_was_kept(store):
    stored(Fake(), store).ask(REQUESTS[:3])
    seen = []
    stored(Streaming(), store).ask(REQUESTS, lambda done, total: seen.append((done, total)))
    assert seen == [(3, 8), (4, 8), (5, 8), (6, 8), (7, 8), (8, 8), (8, 8)]


class TestBatches:
    def test_other_batches_are_asked_anew_and_kept_apart(self, store):
        engine = Fake()
        whole = local(engine, store)
        whole.ask(REQUESTS)
        other = smaller_batches(whole, REQUESTS)
        other.ask(REQUESTS)
        assert engine.asked == REQUESTS * 2
        assert whole.budget.tokens == 100
        smaller_batches(local(engine, store), REQUESTS).ask(REQUESTS)
        assert engine.asked == REQUESTS * 2

    def test_the_model_itself_gets_them(self, store):
        engine, budgets = Fake(), []
        engine.__class__ = type(
            "Noting",
            (Fake,),
            {"ask": lambda self, r: (budgets.append(self.budget.tokens), Fake.ask(self, r))[1]},
        )
        whole = local(engine, store)
        other = copy(whole)
        other.budget = Budget(7)
        other.ask(REQUESTS[:1])
        whole.ask(REQUESTS[:1])
        assert budgets == [7, 100]

    def test_where_they_matter_only_the_same_request_in_the_same_company_is_known(self, store):
        engine = Fake()
        local(engine, store, exact=False).ask(REQUESTS)
        local(engine, store, exact=False).ask(REQUESTS[:2])
        local(engine, store, exact=False).ask(list(reversed(REQUESTS)))
        assert engine.asked == [*REQUESTS, *REQUESTS[:2]]

    @pytest.mark.parametrize("exact", [True, False])
    def test_where_they_matter_so_does_what_makes_them(self, store, monkeypatch, exact):
        engine = Fake()
        local(engine, store, exact).ask(REQUESTS)
        monkeypatch.setattr("harness.store.engine.SHAPES", 0)
        local(engine, store, exact).ask(REQUESTS)
        assert len(engine.asked) == len(REQUESTS) * (1 if exact else 2)


def test_what_a_model_says_of_itself_needs_no_model(store):
    facts = {**FACTS, "template_names": ["messages", "tools"], "marks_reasoning": True}
    engine = StoredLocalEngine(never, store.shelf("tuned", {}), facts, True, "text")
    assert (engine.label, engine.template_names, engine.marks_reasoning) == (
        "tuned",
        {"messages", "tools"},
        True,
    )
    assert engine.remember(["a", 1], lambda: "found") == "found"
    assert engine.remember(["a", 1], never) == "found"


def test_a_store_that_fails_is_said_once_and_the_run_goes_on(tmp_path, said):
    (tmp_path / "answers.db").write_text("no database" * 100)
    store, engine = Store(tmp_path / "answers.db", said.append), Fake()
    assert len(stored(engine, store).ask(REQUESTS)) == len(REQUESTS)
    assert len(stored(engine, store).ask(REQUESTS)) == len(REQUESTS)
    assert len(engine.asked) == 2 * len(REQUESTS)
    assert [text.partition(":")[0] for text in said] == ["answers are not stored"]


def test_a_request_has_another_key_for_each_of_its_parts(store):
    keys = stored(Fake(), store).keys([*REQUESTS, replace(REQUESTS[0], prompt=Plain("b"))])
    assert len(set(keys.values())) == len(REQUESTS) + 1
