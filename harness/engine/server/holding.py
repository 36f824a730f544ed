"""Values of jobs in, the same out once it is sure that no other request was meant.

A proxy that mixes connections up may give one reply to two requests. If the wrong one gets it first, that shows only when the right
one gets it too, which was underway meanwhile. So a value is held until all that was underway with its reply is answered.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

LONGEST = 5.0
"""Seconds to hold a value; a request that takes longer holds nothing up."""

TAKEN: ContextVar[list[str]] = ContextVar("taken")
"""The ids of the replies that the present job took."""


@dataclass
class Holding:
    """The values that are held, in the order of their replies, and the requests underway, by number.

    Attributes:
        twice: ids of replies that two requests got.
    """

    release: Callable[[Any, Any], None]
    again: Callable[[Any], None]
    twice: set[str] = field(default_factory=set)
    _underway: dict[int, None] = field(default_factory=dict)
    _next: int = 0
    _held: deque[tuple[int, float, list[str], Any, Any]] = field(default_factory=deque)

    def sent(self) -> int:
        """Note a request, and give it a number."""
        self._underway[self._next] = None
        self._next += 1
        return self._next - 1

    def answered(self, number: int) -> None:
        """Note that a request is underway no more, and let go what it held."""
        del self._underway[number]
        self._let_go()

    def hold(self, job: Any, value: Any, taken: list[str]) -> None:
        """Hold the value of a job that took these replies."""
        self._held.append((self._next, time.monotonic(), taken, job, value))
        self._let_go()

    def _let_go(self) -> None:
        """Give out each value with nothing underway from before its reply; a job with a reply that was another's is done again."""
        first = next(iter(self._underway), self._next)
        while self._held and (self._held[0][0] <= first or self._held[0][1] < time.monotonic() - LONGEST):
            _, _, taken, job, value = self._held.popleft()
            if self.twice.isdisjoint(taken):
                self.release(job, value)
            else:
                self.again(job)
