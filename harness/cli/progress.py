"""How far a long command is, on stderr: a line that moves in a terminal, elsewhere one at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable


def say(text: str) -> None:
    """A line of its own."""
    print(text, file=sys.stderr, flush=True)


def counter(label: str, unit: str = "answers") -> Callable[[int, int], None]:
    """A callback (done, total) that shows how far the work named `label` is."""
    began = time.monotonic()
    moves = sys.stderr.isatty()

    def show(done: int, total: int) -> None:
        if done >= total:
            text = f"{label}: {total} {unit} in {time.monotonic() - began:.0f} s"
            print(f"\r{text}\033[K" if moves else text, file=sys.stderr, flush=True)
        elif moves:
            print(f"\r{label}: {done}/{total} {unit}\033[K", end="", file=sys.stderr, flush=True)

    return show
