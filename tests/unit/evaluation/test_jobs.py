"""What one process asks of models, others ask a part of: each part once, and whoever left it comes upon every error."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest

import harness.evaluation.jobs as module
from harness.engine.functions import FunctionEngine
from harness.engine.requests import Generate, Generated, Plain
from harness.engine.reshaped import smaller_batches
from harness.errors import EngineError
from harness.evaluation.jobs import Job, Jobs
from harness.evaluation.tasks import DiedError
from tests.support.asked import Knows

ROOT = Path(__file__).parents[3]
REQUESTS = [Generate(Plain(f"q{number}"), 5) for number in range(12)]
UPPER = [Generated(f"Q{number}", 1) for number in range(12)]


class Helped(FunctionEngine):
    """Calls `first` when it is asked for the first time; `calls` are the questions."""

    def __init__(self, first: Callable[[], object] = lambda: None, fails: str = "") -> None:
        super().__init__(self._upper, "helped")
        self.first = first
        self.fails = fails
        self.calls: list[str] = []

    def _upper(self, question: str) -> str:
        if not self.calls:
            self.calls.append(question)
            self.first()
        else:
            self.calls.append(question)
        if question == self.fails:
            raise EngineError(f"no power for {question}")
        return question.upper()


def engines(engine):
    return {"baseline": engine, "tuned": engine}


def ask(folder, engine, progress=None, requests=REQUESTS):
    return Jobs(folder, 2).ask("s", engines(engine), engine, requests, progress)


def help_with(folder, engine, suites=("s",)):
    """Another process that helps until there is nothing left; how many parts it took."""
    jobs, parts = Jobs(folder, 2), 0
    while jobs.help(suites, lambda side: engine, None):
        parts += 1
    return parts


def test_another_process_answers_what_nobody_has_taken(tmp_path):
    theirs, parts = Helped(), []
    ours = Helped(lambda: parts.append(help_with(tmp_path, theirs)))
    assert ask(tmp_path, ours) == UPPER
    assert parts[0] > 2
    assert ours.calls == ["q0", "q1", "q2"]
    assert [*ours.calls, *theirs.calls] == [f"q{number}" for number in range(12)]


def test_alone_it_answers_everything(tmp_path):
    ours, seen = Helped(), []
    assert ask(tmp_path, ours, lambda done, total: seen.append((done, total))) == UPPER
    assert ours.calls == [f"q{number}" for number in range(12)]
    assert seen == sorted(seen)
    assert seen[-1] == (12, 12)
    assert help_with(tmp_path, Helped()) == 0, "a job that has ended needs no help"


def test_a_part_that_another_is_at_is_waited_for(tmp_path, monkeypatch):
    at_it, waited_for = Event(), Event()
    theirs = Helped(lambda: (at_it.set(), waited_for.wait(60)))
    helper = Thread(target=help_with, args=(tmp_path, theirs))
    monkeypatch.setattr(module.time, "sleep", lambda seconds: waited_for.set())
    assert ask(tmp_path, Helped(lambda: (helper.start(), at_it.wait(60)))) == UPPER
    helper.join()
    assert theirs.calls


def test_suites_of_other_engines_are_left_alone(tmp_path):
    theirs, parts = Helped(), []
    assert ask(tmp_path, Helped(lambda: parts.append(help_with(tmp_path, theirs, ("t",))))) == UPPER
    assert (parts, theirs.calls) == ([0], [])


def test_other_batches_are_those_of_whoever_left_it(tmp_path):
    asked = [f"q{number}" for number in range(12)]
    theirs = Knows([], alone=asked)
    ours = Knows([], alone=asked)
    reshaped = smaller_batches(ours, REQUESTS)
    ours.calls.clear()

    class Meets(list):
        def append(self, call) -> None:
            super().append(call)
            if len(self) == 1:
                help_with(tmp_path, theirs)

    ours.calls = reshaped.calls = Meets()
    answers = Jobs(tmp_path, 2).ask("s", engines(ours), reshaped, REQUESTS, None)
    assert {answer.text for answer in answers} == {"yes"}
    assert sorted(question for call in [*ours.calls, *theirs.calls] for question in call) == sorted(asked)
    assert theirs.calls


def test_text_is_exactly_what_the_other_engine_gave(tmp_path):
    class Odd(FunctionEngine):
        def __init__(self) -> None:
            super().__init__(lambda question: "\ud800\x00 \\ud800")

    answers = ask(tmp_path, Helped(lambda: help_with(tmp_path, Odd())))
    assert {answer.text for answer in answers[3:]} == {"\ud800\x00 \\ud800"}


@pytest.mark.parametrize("gives", [None, [], ["x"], [None]])
def test_what_another_cannot_answer_is_asked_here(tmp_path, gives):
    class Odd(FunctionEngine):
        def ask(self, requests, progress=None):
            return gives

    ours = Helped(lambda: help_with(tmp_path, Odd(str)))
    assert ask(tmp_path, ours) == UPPER
    assert ours.calls == [f"q{number}" for number in range(12)]


@pytest.mark.parametrize("fails", ["q1", "q3", "q11"])
def test_the_first_error_is_told_whoever_comes_upon_it(tmp_path, fails):
    theirs = Helped(fails=fails)
    ours = Helped(lambda: help_with(tmp_path, theirs), fails=fails)
    with pytest.raises(EngineError, match=f"^no power for {fails}$"):
        ask(tmp_path, ours)
    assert not list(tmp_path.glob("*.job"))


def test_an_earlier_error_of_another_is_told_before_a_later_one_here(tmp_path):
    class Both(Helped):
        def _upper(self, question: str) -> str:
            self.fails = question if question in ("q3", "q9") else ""
            return super()._upper(question)

    class OnePart(Both):
        """Takes the part of q3 alone."""

    def one_part() -> None:
        Jobs(tmp_path, 2).help(("s",), lambda side: OnePart(), None)

    with pytest.raises(EngineError, match="^no power for q3$"):
        ask(tmp_path, Both(one_part))


@pytest.mark.parametrize("gives", ["text", [1]])
def test_answers_that_do_not_fit_are_given_as_they_are(tmp_path, gives):
    class Odd(FunctionEngine):
        def ask(self, requests, progress=None):
            return gives

    assert ask(tmp_path, Odd(str)) == gives


DIES = """
import os, sys
from pathlib import Path
from harness.engine.functions import FunctionEngine
from harness.evaluation.jobs import Jobs

Jobs(Path(sys.argv[1]), 2).help(("s",), lambda side: FunctionEngine(lambda question: os._exit(7)), None)
"""


def test_a_part_of_one_that_died_is_missing(tmp_path):
    """Another one that asked the same would die too."""

    def dies() -> None:
        died = subprocess.run([sys.executable, "-c", DIES, str(tmp_path)], cwd=ROOT, check=False, timeout=300)
        assert died.returncode == 7

    ours = Helped(dies)
    with pytest.raises(DiedError):
        ask(tmp_path, ours)
    assert "q3" not in ours.calls


def test_a_job_that_has_ended_meanwhile_is_passed_over(tmp_path, monkeypatch):
    def found(file):
        raise FileNotFoundError(file)

    monkeypatch.setattr(Job, "found", found)
    (tmp_path / "x.job").touch()
    assert help_with(tmp_path, Helped()) == 0


def test_few_requests_need_no_help(tmp_path):
    assert ask(tmp_path, Helped(), requests=REQUESTS[:1]) == UPPER[:1]
    assert list(tmp_path.iterdir()) == []
