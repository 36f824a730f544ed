"""When requests went out and came back in, how full they kept a server's queue out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

PARTS = 10
"""Equal parts of a run whose requests in flight are shown."""

FULL = 0.9
"""Of the requests that clients may have in flight: more than so many keep the queue full."""

Interval = tuple[float, float]


@dataclass(frozen=True)
class Flight:
    """Requests of all clients together, from the first that was sent to the last that was answered.

    Attributes:
        seconds: of the whole run.
        mean: requests in flight, on average over time.
        over_time: the same in each of PARTS equal parts.
        full, idle: the share of time with FULL of what may be in flight, and with none.
    """

    requests: int
    seconds: float
    mean: float
    over_time: tuple[float, ...]
    full: float
    idle: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def flight(intervals: Sequence[Interval], room: int) -> Flight:
    """The flight of requests, each sent and answered at some second; `room` is how many may be in flight.

    Raises:
        ValueError: there are none.
    """
    if not intervals:
        raise ValueError("no request was sent")
    steps = list(levels(intervals))
    begin, end = steps[0][0], steps[-1][1]
    whole = end - begin
    edges = [begin + whole * part / PARTS for part in range(PARTS + 1)]

    def share(holds: Sequence[bool]) -> float:
        return (
            sum(until - since for (since, until, _), held in zip(steps, holds, strict=True) if held) / whole
        )

    return Flight(
        len(intervals),
        whole,
        mean(steps, begin, end),
        tuple(mean(steps, since, until) for since, until in pairwise(edges)),
        share([level >= FULL * room for _, _, level in steps]),
        share([level == 0 for _, _, level in steps]),
    )


def levels(intervals: Sequence[Interval]) -> Iterator[tuple[float, float, int]]:
    """From when to when how many requests were in flight, in order and without a gap."""
    changes = sorted([(sent, 1) for sent, _ in intervals] + [(answered, -1) for _, answered in intervals])
    level = 0
    for (since, change), (until, _) in pairwise(changes):
        level += change
        if until > since:
            yield since, until, level


def mean(steps: Sequence[tuple[float, float, int]], since: float, until: float) -> float:
    """Requests in flight between two seconds, on average."""
    inside = (
        (min(until, after) - max(since, before), level)
        for before, after, level in steps
        if after > since and before < until
    )
    return sum(long * level for long, level in inside) / (until - since)
