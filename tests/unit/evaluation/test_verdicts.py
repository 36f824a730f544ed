"""An answer that was judged is not judged again, unless anything that decides its verdict has changed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.engine.batching import Budget
from harness.engine.pace import Pace
from harness.engine.requests import Generated
from harness.errors import ScorerError
from harness.evaluation import verdicts
from harness.evaluation.ask import ask
from harness.scoring import SCORERS, scorer
from harness.scoring.check import Check, Rule
from harness.scoring.composed import AllOf
from harness.scoring.python import Python
from harness.scoring.text import Contains, Mentions
from harness.store.engine import StoredLocalEngine
from harness.store.shelf import Store
from harness.suites.composed import Piece
from harness.suites.suite import Probe, Suite

FACTS = {
    "label": "fake",
    "kinds": ["generate"],
    "budget": 100,
    "template_names": None,
    "marks_reasoning": False,
    "runs_on": {"model": "fake", "parameters": 1, "device": "cpu", "dtype": "float32", "engine": "fake"},
}
ASKED = {"question": "Where?"}
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="code is confined on Linux alone")


class Fake:
    label = "fake"
    kinds = frozenset({"generate"})

    def __init__(self, text):
        self.text = text
        self.budget = Budget(100)
        self.pace = Pace()

    def ask(self, requests, progress=None):
        return [Generated(self.text, 3) for _ in requests]


@pytest.fixture
def judged(monkeypatch):
    """The ids of the probes that were judged."""
    ids = []
    judge = ask.__globals__["score"]

    def counted(probe, *arguments, **named):
        ids.append(probe.id)
        return judge(probe, *arguments, **named)

    monkeypatch.setitem(ask.__globals__, "score", counted)
    return ids


@pytest.fixture
def run(tmp_path, judged):
    """Ask in a process of its own, as far as the store can tell; gives what is right and what was judged anew."""

    def run(scorer, text="It is Paris.", answers=("Paris",), model="m", **how):
        judged.clear()
        store = Store(tmp_path / "answers.db", pytest.fail)
        shelf = store.shelf("fake", {"model": model, "text": text})
        engine = StoredLocalEngine(lambda: Fake(text), shelf, FACTS, True, "text")
        suite = Suite("s", (), (Probe("a", scorer, ASKED, answers), Probe("b", Contains(), ASKED, ("x",))))
        scores = ask(engine, suite, suite.probes, **how).scores
        assert scores["a"].shown == scores["a"].answer.text == text
        return scores["a"].right, list(judged)

    return run


BUILT_IN = [
    Mentions(),
    Check(max_words=5),
    AllOf(pieces=(Piece(scorer=Mentions()), Piece(scorer=Check(max_words=5)))),
]


@pytest.mark.parametrize("scorer", BUILT_IN, ids=lambda scorer: scorer.name)
@pytest.mark.parametrize("text", ["It is Paris.", "It is not known to me or anyone else."])
def test_an_unchanged_answer_is_judged_once(run, scorer, text):
    right, first = run(scorer, text)
    assert (first, run(scorer, text)) == (["a", "b"], (right, []))
    assert right is (text == "It is Paris.")


def test_the_answers_of_another_model_are_judged_alike(run):
    run(Mentions())
    assert run(Mentions(), model="another") == (True, [])


@pytest.mark.parametrize(
    "changed",
    [
        {"scorer": Mentions(denied=True)},
        {"scorer": Contains()},
        {"text": "It is not Paris."},
        {"answers": ("Rome",)},
    ],
)
def test_what_changed_is_judged_again(run, changed):
    run(Mentions())
    assert run(**{"scorer": Mentions(), **changed})[1] == ["a", "b"]


@pytest.mark.parametrize(
    "inner", [Check(max_words=2), Check(all=[Rule(max_words=2)]), Check(**{"not": Rule(max_words=5)})]
)
def test_a_change_within_a_score_is_judged_again(run, inner):
    pieces = (Piece(scorer=Mentions()), Piece(scorer=Check(max_words=5)))
    assert run(AllOf(pieces=pieces)) == (True, ["a", "b"])
    assert run(AllOf(pieces=(pieces[0], Piece(scorer=inner)))) == (False, ["a", "b"])


def test_other_code_judges_again(run, monkeypatch):
    run(Mentions())
    monkeypatch.setattr(verdicts, "code_digest", lambda *rooms: "of another version")
    assert run(Mentions())[1] == ["a", "b"]


@pytest.mark.parametrize("wrapped", [False, True], ids=["alone", "within another"])
def test_a_score_of_the_users_own_always_judges(run, wrapped):
    try:

        @scorer("own-of-a-test")
        class Own(Mentions):
            pass

        own = AllOf(pieces=(Piece(scorer=Own()),)) if wrapped else Own()
        run(own)
        assert run(own) == (True, ["a"])
    finally:
        SCORERS.pop("own-of-a-test", None)


def test_a_class_that_only_has_the_name_of_a_score_judges(run):
    class Kind(Mentions):
        pass

    run(Kind())
    assert run(Kind()) == (True, ["a"])


RIGHT, WRONG = "```python\ndef f():\n    return 1\n```", "```python\ndef f():\n    return 2\n```"


@LINUX
@pytest.mark.parametrize("text", [RIGHT, WRONG])
def test_code_that_ran_is_not_run_again(run, monkeypatch, text):
    python = Python(tests=["assert f() == 1"])
    assert run(python, text, (), allow_code=True) == (text == RIGHT, ["a", "b"])
    monkeypatch.setattr(subprocess, "Popen", lambda *arguments, **named: pytest.fail("a process began"))
    assert run(python, text, (), allow_code=True) == (text == RIGHT, [])


@LINUX
def test_code_that_ran_still_needs_permission(run):
    python = Python(tests=["assert f() == 1"])
    run(python, RIGHT, (), allow_code=True)
    with pytest.raises(ScorerError, match="allow it with"):
        run(python, RIGHT, ())


def test_code_that_ran_out_of_time_runs_again(run, monkeypatch):
    clock = iter(range(0, 100, 10))
    monkeypatch.setattr("harness.scoring.python.Python.right", lambda self, text, expected: False)
    monkeypatch.setattr(verdicts.time, "monotonic", lambda: next(clock))
    python = Python(tests=["assert f() == 1"], timeout=5)
    assert run(python, RIGHT, (), allow_code=True) == (False, ["a", "b"])
    assert run(python, RIGHT, (), allow_code=True) == (False, ["a"])


def test_an_engine_that_remembers_nothing_is_judged(judged):
    suite = Suite("s", (), (Probe("a", Mentions(), ASKED, ("Paris",)),))
    for _ in range(2):
        assert ask(Fake("Paris"), suite, suite.probes).scores["a"].right
    assert judged == ["a", "a"]


def test_nothing_is_kept_of_scores_that_broke(run, monkeypatch):
    def breaks(self, text, expected):
        raise ValueError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(Mentions, "right", breaks)
        with pytest.raises(ScorerError, match="broken"):
            run(Mentions())
    assert run(Mentions()) == (True, ["a", "b"])
