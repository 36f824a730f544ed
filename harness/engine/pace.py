"""Tokens and seconds of a model's work in, its speed out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.engine.estimate import Estimate

Stepped = Callable[[int, int], None]
"""Called after each step of a batch with how many of its answers took a token, and how many are complete."""

LEAST_SECONDS = 2.0
"""A shorter measurement says little about the next run."""


@dataclass(frozen=True)
class RunsOn:
    """What a speed depends on; `parameters` is the size of the model, `device` the name of what it runs on."""

    model: str
    parameters: int
    device: str
    dtype: str
    engine: str


@dataclass
class Pace:
    """What a model has done: tokens that it read and the seconds that took, the same for tokens that it wrote.

    Prompts count in full, though what they all begin with is read once. `size` is what was estimated of the same requests.
    """

    read: int = 0
    reading: float = 0.0
    written: int = 0
    writing: float = 0.0
    size: Estimate = field(default_factory=Estimate)

    @property
    def telling(self) -> bool:
        """Whether it took long enough to tell a speed."""
        return self.reading + self.writing >= LEAST_SECONDS

    def watch(self, tokens: int, size: Estimate) -> Stepped:
        """Add a batch step by step: the first reads the prompts of so many `tokens`, and the others only write."""
        last, first = time.monotonic(), True
        self.size += size

        def stepped(writing: int, complete: int) -> None:
            nonlocal last, first
            now = time.monotonic()
            if first:
                self.read += tokens
                self.reading += now - last
            else:
                self.writing += now - last
            self.written += writing
            last, first = now, False

        return stepped
