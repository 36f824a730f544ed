"""How far a long command is, on stderr: a line that moves in a terminal, elsewhere one at the end."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.terminal import moves, rewrite


def counter(label: str, unit: str = "answers") -> Callable[[int, int], None]:
    """A callback (done, total) that shows how far the work named `label` is."""
    began = time.monotonic()

    def show(done: int, total: int) -> None:
        if done >= total:
            rewrite(f"{label}: {total} {unit} in {time.monotonic() - began:.0f} s", end="\n")
        elif moves():
            rewrite(f"{label}: {done}/{total} {unit}")

    return show
