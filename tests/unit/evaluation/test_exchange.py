"""Processes of one run share the answers to suites: each suite is asked by one of them, and all know the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from harness.engine.functions import FunctionEngine
from harness.errors import EngineError, HarnessError
from harness.evaluation.exchange import Exchange
from harness.evaluation.session import PairSession
from harness.evaluation.tasks import DiedError
from harness.gate.cases import cases
from harness.suites.suite import EachGate, MarginGate, Suite
from tests.support.asked import Knows, both, questions, suite_of

ROOT = Path(__file__).parents[3]
SUITE = suite_of(
    40,
    MarginGate(over="all", max_drop=0.1),
    EachGate(),
    also={38: ("other 38", "another 38"), 39: ("other 39",)},
)
KNOWN = [*questions(40), "other 38", "another 38", "other 39"]


def session_of(suite: Suite = SUITE) -> PairSession:
    session = PairSession()
    session.need(cases(suite))
    return session


class Process:
    """One process of a run: its session, and its models."""

    def __init__(self, folder: Path, suite: Suite = SUITE, tuned: Knows | None = None) -> None:
        self.suite = suite
        self.session = session_of(suite)
        self.exchange = Exchange(folder)
        self.engines = both(Knows(KNOWN), tuned or Knows(questions(38)))

    def settle(self) -> bool:
        return self.exchange.settle(self.session.suites[self.suite.name], self._ask) is not None

    def _ask(self) -> list[str]:
        with self.exchange.together(self.suite.name, self.engines.__getitem__) as engines:
            self.session.ask_both(self.suite.name, engines)
        return self.session.notes

    @property
    def asked(self) -> int:
        return sum(len(engine.calls) for engine in self.engines.values())


def test_a_suite_is_asked_once_and_known_to_all(tmp_path):
    first, second = Process(tmp_path), Process(tmp_path)
    assert first.settle()
    assert first.asked == 4  # both models, the suite and what it lost
    assert second.settle()
    assert second.asked == 0
    selected = list(cases(SUITE))
    assert second.session.decide(selected) == first.session.decide(selected)
    ours, theirs = (process.session.suites["s"] for process in (first, second))
    assert (ours.scores, ours.answers, ours.again) == (theirs.scores, theirs.answers, theirs.again)
    assert [len(theirs.again[id]) for id in ("p38", "p39")] == [3, 2]


def test_each_suite_is_shared_by_itself(tmp_path):
    other = suite_of(3, MarginGate(over="all", max_drop=0.1), name="a/b: c")
    assert Process(tmp_path).settle()
    first, second = Process(tmp_path, other), Process(tmp_path, other)
    assert first.settle()
    assert second.settle()
    assert (first.asked, second.asked) == (2, 0)


def test_who_comes_while_it_is_asked_is_told_to_wait(tmp_path):
    class Meets(Knows):
        def ask(self, requests, progress=None):
            seen.append(second.settle())
            return super().ask(requests, progress)

    seen = []
    second = Process(tmp_path)
    first = Process(tmp_path, tuned=Meets(questions(38)))
    assert first.settle()
    assert seen == [False, False]
    assert second.asked == 0
    assert second.settle()


def test_what_the_baseline_was_asked_beyond_the_cases_is_shared(tmp_path):
    suite = suite_of(6, MarginGate(over="all", max_drop=0.1))
    first, second = Process(tmp_path, suite), Process(tmp_path, suite)
    for process in (first, second):
        run = process.session.suites["s"]
        run.needed, run.compared = {"p0"}, {"p0"}
        process.engines = both(Knows(["q5"]), Knows([]))
        assert process.settle()
    assert second.session.nothing_known == first.session.nothing_known == {"s": None}


class Broken(Knows):
    def ask(self, requests, progress=None):
        raise EngineError("no power")


def test_an_error_is_everyone_s(tmp_path):
    first, second = Process(tmp_path, tuned=Broken([])), Process(tmp_path)
    for process in (first, second):
        with pytest.raises(HarnessError, match="^the suite 's' cannot be asked\n  no power$"):
            process.settle()
    assert second.asked == 0


def test_a_fault_of_ours_is_not_asked_again(tmp_path):
    def fail() -> None:
        raise AssertionError("a fault")

    other = Process(tmp_path, suite_of(3, EachGate(), name="t"))
    with pytest.raises(AssertionError, match="a fault"):
        other.exchange.settle(other.session.suites["t"], fail)
    with pytest.raises(DiedError):
        other.settle()
    assert other.asked == 0


DIES = """
import os, sys
from pathlib import Path
from harness.evaluation.exchange import Exchange
from harness.evaluation.suite_run import SuiteRun
from harness.suites.suite import Suite

Exchange(Path(sys.argv[1])).settle(SuiteRun(Suite("s", (), ())), lambda: os._exit(7))
"""


def test_answers_of_one_that_died_are_missing(tmp_path):
    """Another one that asked the same would die too."""
    died = subprocess.run([sys.executable, "-c", DIES, str(tmp_path)], cwd=ROOT, check=False, timeout=300)
    assert died.returncode == 7
    after = Process(tmp_path)
    with pytest.raises(DiedError, match="^a process that asked the suite 's' died$"):
        after.settle()
    assert after.asked == 0


def test_a_process_that_still_asks_is_not_dead(tmp_path):
    process = Process(tmp_path)
    assert process.settle()
    (lock,) = tmp_path.glob("*.lock")
    later = Process(tmp_path)
    with FileLock(lock):
        assert later.settle() is False
    assert later.settle() is True


def test_text_that_json_cannot_hold_is_shared_all_the_same(tmp_path):
    class Odd(Knows):
        def __init__(self):
            super().__init__([])
            self.function = lambda question: "\ud800\x00 ÿ"

        def ask(self, requests, progress=None):
            return FunctionEngine.ask(self, requests, progress)

    suite = suite_of(30, MarginGate(over="all", max_drop=0.1))
    first, second = Process(tmp_path, suite, Odd()), Process(tmp_path, suite, Odd())
    assert first.settle()
    assert second.settle()
    outcomes = [process.session.decide(list(cases(suite)))[0].outcome for process in (first, second)]
    assert outcomes == ["failed", "failed"]
