"""Progress of long work, on stderr: one live line in a terminal, elsewhere a line at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import Protocol

from harness.terminal import moves, rewrite

Log = Callable[[str], None]
"""Shows a line to the person who waits."""

Progress = Callable[[int, int], None]
"""Called with how much of the work is done, and how much there is."""


class Counter(Protocol):
    """Makes the callback for work with a name and a unit."""

    def __call__(self, label: str, unit: str = ..., /) -> Progress: ...


def counter(label: str, unit: str = "answers") -> Progress:
    """A callback that shows the progress of the work named `label`."""
    return throttled(label, unit, lambda text, final: rewrite(text, end="\n" if final else ""), moves)


def throttled(
    label: str,
    unit: str,
    write: Callable[[str, bool], None],
    live: Callable[[], bool],
    seconds_between: float = inf,
) -> Progress:
    """A callback that writes the progress of the work named `label`.

    Args:
        write: takes the line, and whether it is the last one.
        live: whether a line may be overwritten, and so written every time.
        seconds_between: lines that may not be overwritten.
    """
    began = written = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal written
        now = time.monotonic()
        if done >= total:
            write(f"{label}: {total} {unit} in {now - began:.0f} s", True)
        elif live() or now - written >= seconds_between:
            written = now
            left = (now - began) / max(done, 1) * (total - done)
            write(f"{label}: {done}/{total} {unit}, about {left:.0f} s left", False)

    return show
