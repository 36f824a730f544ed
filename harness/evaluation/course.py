"""A session in, how far its whole run is out: which suite of how many, and about how long the rest takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from harness.engine.estimate import estimated
from harness.engine.prompts import request
from harness.engine.requests import SIDES, Progress, Side
from harness.engine.speeds import ASSUMED
from harness.evaluation.session import PairSession
from harness.evaluation.suite_run import SuiteRun
from harness.progress import Rest
from harness.wording import duration

LEAST_SHARE = 0.01
"""Of a run; less of it says nothing about the rest."""


class ProgressThrough(Protocol):
    """Makes the callback for work with a name, a unit and words on what comes after it."""

    def __call__(self, label: str, unit: str, rest: Rest, /) -> Progress: ...


def follow(
    session: PairSession, counter: ProgressThrough, who: str | None = None, sides: Sequence[Side] = SIDES
) -> None:
    """Show the progress of all that a session asks, which must know its cases before it asks anything.

    Args:
        who: names the model that is asked; by default its side.
        sides: those that will be asked.
    """
    course = Course(session, sides)

    def progress(suite: str, side: Side) -> Progress:
        course.begin()
        return counter(f"{suite}, {who or side}", "answers", lambda share: course.rest(suite, side, share))

    session.progress = progress


class Course:
    """How far a session is with what its cases need, weighed by the time that each request takes at an assumed speed."""

    def __init__(self, session: PairSession, sides: Sequence[Side] = SIDES) -> None:
        self.session = session
        self.sides = sides
        self.began = 0.0
        self.numbers: dict[tuple[str, Side], int] = {}
        """The probes at the beginning, by suite and side."""
        self.weights: dict[tuple[str, Side], float] = {}
        """The work that they are."""

    def begin(self) -> None:
        """Note once what there is to do."""
        if self.weights:
            return
        self.began = time.monotonic()
        for name, run in self.session.suites.items():
            for side in self.sides:
                self.numbers[name, side] = len(run.missing(side))
                self.weights[name, side] = _seconds(run, side)

    def rest(self, suite: str, side: Side, share: float) -> str:
        """Words on the whole run while so much of one side of a suite is done: "; suite 3 of 12, about 4 min left in all"."""
        whole = sum(self.weights.values())
        if (suite, side) not in self.weights or not whole:
            return ""
        left = {key: self._left(*key) for key in self.weights}
        now = left[suite, side]
        after = sum(left.values()) - now
        to_do = {name for name, of in left if self.numbers[name, of]}
        place = f"suite {self._place(suite)} of {len(to_do)}" if len(to_do) > 1 else ""
        early = self.session.sequential is not None  # asked in parts, of which the share is
        rest = after + (now if early else now * (1 - share))
        done = whole - rest
        if done < LEAST_SHARE * whole or after <= 0:
            return f"; {place}" if place else ""
        seconds = (time.monotonic() - self.began) * rest / done
        most = "at most" if early else "about"
        return f"; {', '.join(filter(None, [place, f'{most} {duration(seconds)} left in all']))}"

    def _place(self, suite: str) -> int:
        """The number of a suite that is being asked, by those that were asked before it."""
        others = {name for name, side in self.numbers if self.numbers[name, side] and name != suite}
        return 1 + sum(not any(self._left(name, side) for side in self.sides) for name in others)

    def _left(self, name: str, side: Side) -> float:
        number = self.numbers[name, side]
        missing = len(self.session.suites[name].missing(side))
        return self.weights[name, side] * missing / number if number else 0.0


def _seconds(run: SuiteRun, side: Side) -> float:
    return ASSUMED.slow.seconds(estimated(request(run.suite, probe) for probe in run.missing(side)))
