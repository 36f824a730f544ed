"""How far a long command is, on stderr: a line that moves in a terminal, elsewhere one at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from harness.terminal import moves, rewrite

Log = Callable[[str], None]
"""Takes a line for a person who waits."""

Progress = Callable[[int, int], None]
"""Called with how much of the work is done and how much there is."""


class Counter(Protocol):
    """Gives the callback for work that has a name and a unit."""

    def __call__(self, label: str, unit: str = ..., /) -> Progress: ...


def counter(label: str, unit: str = "answers") -> Progress:
    """A callback that shows how far the work named `label` is."""
    began = time.monotonic()

    def show(done: int, total: int) -> None:
        if done >= total:
            rewrite(f"{label}: {total} {unit} in {time.monotonic() - began:.0f} s", end="\n")
        elif moves():
            rewrite(f"{label}: {done}/{total} {unit}")

    return show
