"""Groups of parts and a way to ask a model without some in, what each group carries of the forgetting out.

What the baseline knew is the measure: the loss of a model is the share of it that the model has wrong. A group is switched off
by itself (what comes back?), and left on by itself (what does it lose alone?). Of two groups that each suffice to lose a probe
neither brings it back, and of two that only lose it together neither loses it alone: so both are asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Literal

import numpy as np

from harness.blame.groups import Group
from harness.stats.clusters import variance_of_mean
from harness.stats.linear import Estimate, Sum, combined
from harness.stats.paired import normal_quantile
from harness.stats.rates import rate_interval
from harness.training.edits.parts import Part

WORTH = 0.1
"""A group that carries less than this share of the whole loss, both ways, is not halved."""

ADDS_UP = 0.05
"""Effects whose sum is off by less than this add up for any purpose."""

Way = Literal["off", "alone"]
"""Whether a group is switched off by itself, or left on by itself."""


@dataclass(frozen=True)
class Outcome:
    """What a model has right of the probes that are asked again: of those that the tuned model lost, and of some it kept."""

    lost: tuple[bool, ...]
    kept: tuple[bool, ...]


@dataclass(frozen=True)
class Strata:
    """How many probes the tuned model lost and kept in all, of which some are asked again.

    Attributes:
        clusters: the names of the clusters of those, lost and kept; None for a probe on its own.
    """

    lost: int
    kept: int
    clusters: tuple[Sequence[str | None], Sequence[str | None]]

    @property
    def weights(self) -> tuple[float, float]:
        """Their shares in what the baseline knew."""
        known = self.lost + self.kept
        return self.lost / known, self.kept / known


Effect = Sum
"""A share of what the baseline knew, with its interval."""


@dataclass(frozen=True)
class Measured:
    """A group and what it carries.

    Attributes:
        off: the share of the baseline's knowledge that comes back without it.
        alone: the share that is lost with it alone.
        parent: the place in the result of the group that it is a half of; None for a first one.
        depth: how often a first group was halved to get it.
    """

    group: Group
    off: Effect
    alone: Effect
    parent: int | None = None
    depth: int = 0


@dataclass(frozen=True)
class Apart:
    """Halves whose effects do not add up to that of the group that they make up: `together` against the sum of `apart`."""

    group: int
    way: Way
    together: float
    apart: tuple[float, float]
    halves: tuple[int, int]


@dataclass(frozen=True)
class Found:
    """The result of a search.

    Attributes:
        whole: the share of the baseline's knowledge that the tuned model lost.
        rest: the share that stays lost with every part switched off.
        models: how many changed models were asked.
        unopened: how many groups were worth halving when the limit was reached.
    """

    whole: Effect
    rest: Effect
    groups: tuple[Measured, ...]
    apart: tuple[Apart, ...]
    models: int
    unopened: int


class Search:
    """Halves groups, those that carry most first.

    Args:
        parts: all that can be switched off, in the model's order.
        ask: asks the tuned model without some parts.
        most: how many changed models may be asked.
    """

    def __init__(
        self, parts: Sequence[Part], strata: Strata, ask: Callable[[Collection[Part]], Outcome], most: int
    ) -> None:
        self.parts = tuple(sorted(parts, key=lambda part: part.layer))
        self.every = frozenset(parts)
        self.strata = strata
        self.most = most
        self._ask = ask
        self._known: dict[frozenset[Part], Outcome] = {}
        self._groups: list[Measured] = []

    def found(self) -> Found:
        """What the groups carry, each after the one that it is a half of."""
        whole, rest = self._loss(frozenset()), self._loss(self.every)
        waiting: list[tuple[float, int]] = []
        for first in self._first_groups():
            self._groups.append(Measured(first, self._back(self.every), whole))
            heappush(waiting, (-math.inf, len(self._groups) - 1))
        unopened = 0
        while waiting:
            _, place = heappop(waiting)
            if self.models + self._cost(self._groups[place].group) > self.most:
                unopened += 1
                continue
            for half in self._halve(place):
                carries = max(self._groups[half].off.value, self._groups[half].alone.value)
                if carries >= WORTH * whole.value and self._groups[half].group.halves():
                    heappush(waiting, (-carries, half))
        return Found(whole, rest, tuple(self._groups), tuple(self._apart()), self.models, unopened)

    @property
    def models(self) -> int:
        """How many changed models were asked."""
        return len(self._known.keys() - {frozenset()})

    def _first_groups(self) -> Iterator[Group]:
        by_layer, by_module = Group(self.parts, "layers"), Group(self.parts, "modules")
        if len(by_layer.layers) > 1 or len(by_module.modules) < 2:
            yield by_layer
        if len(by_module.modules) > 1:
            yield by_module

    def _halve(self, place: int) -> tuple[int, ...]:
        """Measure the halves of a group; their places."""
        above = self._groups[place]
        halves = above.group.halves()
        for half in halves:
            parts = frozenset(half.parts)
            off, alone = self._back(parts), self._loss(self.every - parts)
            self._groups.append(Measured(half, off, alone, place, above.depth + 1))
        return tuple(range(len(self._groups) - len(halves), len(self._groups)))

    def _cost(self, group: Group) -> int:
        """How many models have to be asked for its halves."""
        halves = [frozenset(half.parts) for half in group.halves()]
        return len({parts for half in halves for parts in (half, self.every - half)} - self._known.keys())

    # Effects

    def _outcome(self, off: frozenset[Part]) -> Outcome:
        if off not in self._known:
            self._known[off] = self._ask(off)
        return self._known[off]

    def _loss(self, off: frozenset[Part]) -> Effect:
        """The share of what the baseline knew that is lost without some parts."""
        outcome, (lost, kept) = self._outcome(off), self.strata.weights
        return self._effect([not right for right in outcome.lost], lost, outcome.kept, kept)

    def _back(self, off: frozenset[Part]) -> Effect:
        """The share of what the baseline knew that comes back without some parts, less what is lost only then."""
        outcome, (lost, kept) = self._outcome(off), self.strata.weights
        return self._effect(outcome.lost, lost, outcome.kept, -kept)

    def _effect(self, lost: Sequence[bool], of_lost: float, kept: Sequence[bool], of_kept: float) -> Effect:
        """The shares of the lost probes that count and of the kept ones that are wrong, each by its weight, added up."""
        sides = ((lost, of_lost), ([not right for right in kept], of_kept))
        assert all(counts or not weight for counts, weight in sides), "no probe was asked for a share"
        return combined(
            Estimate(weight, sum(counts) / len(counts), rate_interval(counts, clusters))
            for (counts, weight), clusters in zip(sides, self.strata.clusters, strict=True)
            if counts
        )

    # What does not add up

    def _apart(self) -> Iterator[Apart]:
        halves: dict[int, list[int]] = {}
        for place, measured in enumerate(self._groups):
            if measured.parent is not None:
                halves.setdefault(measured.parent, []).append(place)
        for place, (first, second) in halves.items():
            groups = [self._groups[each] for each in (place, first, second)]
            sets = [frozenset(measured.group.parts) for measured in groups]
            off, alone = ([getattr(measured, way).value for measured in groups] for way in ("off", "alone"))
            if self._differs(frozenset(), sets, off[0] - off[1] - off[2]):
                yield Apart(place, "off", off[0], (off[1], off[2]), (first, second))
            rest = self._loss(self.every).value
            if self._differs(
                self.every, [self.every - parts for parts in sets], alone[0] - alone[1] - alone[2] + rest
            ):
                yield Apart(place, "alone", alone[0], (alone[1], alone[2]), (first, second))

    def _differs(self, without: frozenset[Part], asked: Sequence[frozenset[Part]], difference: float) -> bool:
        """Whether a group differs from the sum of its halves by more than chance, probe by probe, and by more than a little.

        Of each probe, the change by the group less those by its halves is one number; their mean over lost and over kept probes
        is compared with its standard error, which allows for probes that go together.

        Args:
            without: switched off in the model that changes are counted from.
        """
        sides = [self._outcome(off) for off in (without, *asked)]
        variance = 0.0
        for name, weight, clusters in zip(
            ("lost", "kept"), self.strata.weights, self.strata.clusters, strict=True
        ):
            before, whole, first, second = (np.array(getattr(side, name), dtype=float) for side in sides)
            change = whole - first - second + before
            alone = change.size < 2  # of one probe, all of it may be chance
            variance += weight**2 * (float(change @ change) if alone else variance_of_mean(change, clusters))
        return abs(difference) > max(ADDS_UP, normal_quantile() * math.sqrt(variance))
