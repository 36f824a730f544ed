"""Tokens and seconds of a model's work in, its speed out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from harness.engine.beginnings import common_length
from harness.engine.estimate import Estimate, estimated
from harness.engine.requests import Request

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

    What prompts begin with alike counts once, also where a model reads it again. `size` is what was estimated of the same requests.
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

    def count(self, requests: Sequence[Request], rows: Sequence[list[int]]) -> None:
        """Note requests that are read, by the tokens of all their rows."""
        self.read += sum(
            len(row) - common_length(before, row) for before, row in pairwise([[], *sorted(rows)])
        )
        self.size += estimated(requests)

    @contextmanager
    def while_reading(self) -> Iterator[None]:
        """The block takes its time to read."""
        began = time.monotonic()
        yield
        self.reading += time.monotonic() - began

    @contextmanager
    def while_writing(self) -> Iterator[None]:
        """The block takes its time to write."""
        began = time.monotonic()
        yield
        self.writing += time.monotonic() - began
