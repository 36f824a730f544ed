"""Progress of long work as lines: one that moves in a terminal, and elsewhere, as in a log of CI, one now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from harness.terminal import moves, rewrite
from harness.wording import a_second, count, duration

FIRST = 2.0
"""Seconds until the first line that cannot be overwritten."""

BETWEEN, LONGEST = 20.0, 300.0
"""Seconds between two such lines, at least and at most; in between, a tenth of the time so far."""

MOVING = 0.2
"""Seconds between two lines of which one overwrites the other."""

Log = Callable[[str], None]
"""Shows a line to the person who waits."""

Progress = Callable[[int, int], None]
"""Called with how much of the work is done, and how much there is."""

Rest = Callable[[float], str]
"""The share of a work that is done in, words on what comes after it out."""


class ProgressFor(Protocol):
    """Makes the callback for work with a name and a unit."""

    def __call__(self, label: str, unit: str = ..., /) -> Progress: ...


class Meter:
    """Shows the progress of one work after another.

    Args:
        write: takes a line, and whether it is the last one of a work.
        live: whether a line may be overwritten by the next.
    """

    def __init__(self, write: Callable[[str, bool], None], live: Callable[[], bool]) -> None:
        self.write = write
        self.live = live
        self.began = self.due = 0.0

    def counter(self, label: str, unit: str = "answers", rest: Rest = lambda share: "") -> Progress:
        """A callback that shows the progress of the work named `label`; it may be called as often as one likes."""
        began, most = time.monotonic(), 0
        self.begin()
        if self.live():
            self.write(f"{label} ...", False)

        def show(done: int, total: int) -> None:
            nonlocal most
            if total < 1 or done < most or most >= total:  # a batch is tried again, or the work has ended
                return
            most, seconds = done, time.monotonic() - began
            if done >= total:
                self.write(_ended(label, unit, total, seconds) + rest(1.0), True)
            elif self.is_due():
                self.write(_going(label, unit, done, total, seconds) + rest(done / total), False)

        return show

    def begin(self) -> None:
        """Count the seconds from now, unless they are counted already."""
        if not self.began:
            self.began = time.monotonic()
            self.due = self.began + (0 if self.live() else FIRST)

    def is_due(self) -> bool:
        """Whether it is time for a line on work under way; the next one then waits."""
        now = time.monotonic()
        if now < self.due:
            return False
        self.due = now + (MOVING if self.live() else max(BETWEEN, min((now - self.began) / 10, LONGEST)))
        return True


def _going(label: str, unit: str, done: int, total: int, seconds: float) -> str:
    shown = f"{label}: {done:,}/{total:,} {unit}"
    if not done or not seconds:
        return shown
    return f"{shown}, {a_second(done / seconds)}, about {duration(seconds / done * (total - done))} left"


def _ended(label: str, unit: str, total: int, seconds: float) -> str:
    speed = f", {a_second(total / seconds)}" if seconds >= 1 else ""
    return f"{label}: {count(total, unit.removesuffix('s'))} in {duration(seconds)}{speed}"


_ON_STDERR = Meter(lambda text, final: rewrite(text, end="\n" if final or not moves() else ""), moves)


def counter(label: str, unit: str = "answers") -> Progress:
    """A callback that shows the progress of the work named `label` on stderr."""
    return _ON_STDERR.counter(label, unit)


def no_progress(label: str, unit: str = "answers") -> Progress:
    """A callback that shows nothing."""
    return lambda done, total: None


def passing() -> Meter:
    """Progress on stderr that leaves no line of its own in a terminal, where it may stand in another's place for a while."""
    return Meter(_pass, moves)


def _pass(text: str, final: bool) -> None:
    with suppress(BrokenPipeError):  # no reason to end someone else's work
        if not final:
            rewrite(text, end="" if moves() else "\n")
        elif moves():
            rewrite("")
