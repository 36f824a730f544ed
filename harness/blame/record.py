"""The results of `blame` as a versioned JSON record: everything that its table, picture and page need. Rates are fractions."""

from __future__ import annotations

from typing import Literal

from harness.blame.groups import Axis, named
from harness.blame.search import Effect, Found, Way
from harness.reporting.row import Row
from harness.stats.paired import CONFIDENCE

VERSION: Literal[1] = 1
FILE = "blame.json"


class EffectRow(Row):
    """A share of what the baseline knew, with its interval."""

    value: float
    interval: tuple[float, float]

    @classmethod
    def of(cls, effect: Effect) -> EffectRow:
        return cls(value=effect.value, interval=effect.interval)


class GroupRow(Row):
    """Parts that were switched together, and what they carry.

    `off`: the share that comes back without them; `alone`: the share that is lost with them alone. `parent` is the place in the
    record of the group that it is a half of.
    """

    name: str
    axis: Axis
    parent: int | None
    depth: int
    layers: list[int]
    modules: list[str]
    parts: int
    halved: bool
    off: EffectRow
    alone: EffectRow

    def effect(self, way: Way) -> EffectRow:
        return self.off if way == "off" else self.alone


class ApartRow(Row):
    """Halves whose effects do not add up to that of the group that they make up."""

    group: int
    halves: tuple[int, int]
    way: Way
    together: float
    apart: tuple[float, float]


class SuiteRow(Row):
    """A suite, and what became of the probes that the baseline had right."""

    name: str
    path: str
    asked: int
    lost: int
    kept: int
    again: list[str]
    """The ids of the probes that changed models were asked."""


class ExampleRow(Row):
    """A training example, by its place in the corpus from 1, and how hard it pushes against the lost probes."""

    number: int
    prompt: str
    answer: str
    push: float


class ExamplesRow(Row):
    """Examples in the order of their push, those that unlearn most first."""

    corpus: str
    of: int
    """The number of examples in the corpus."""
    probes: int
    """The number of lost probes that they push against."""
    examples: list[ExampleRow]


class BlameRun(Row):
    """Where the numbers come from."""

    harness: str
    started: str
    command: list[str]
    tuned: str
    baseline: str
    device: str | None
    dtype: str | None
    versions: dict[str, str]
    notes: list[str] = []


class BlameRecord(Row):
    """The record of one search."""

    version: Literal[1] = VERSION
    run: BlameRun
    confidence: float = CONFIDENCE
    suites: list[SuiteRow]
    layers: int
    """The number of layers with parts."""
    parts: int
    """The number of parts that can be switched off."""
    cannot: list[str] = []
    """The names of changed tensors that cannot be."""
    asked_again: tuple[int, int]
    """How many lost and kept probes each changed model was asked."""
    models: int
    """How many changed models were asked."""
    whole: EffectRow
    """The share of what the baseline knew that was lost."""
    rest: EffectRow
    """The share that stays lost with every part switched off."""
    groups: list[GroupRow]
    apart: list[ApartRow]
    unopened: int
    """How many groups were worth halving when the limit of models was reached."""
    examples: ExamplesRow | None = None

    def of_axis(self, axis: Axis) -> list[GroupRow]:
        """The groups that were halved one way, each half after its group."""
        places = [place for place, row in enumerate(self.groups) if row.axis == axis and row.parent is None]
        return [self.groups[place] for first in places for place in self._below(first)]

    def _below(self, place: int) -> list[int]:
        halves = [other for other, row in enumerate(self.groups) if row.parent == place]
        return [place, *(below for half in halves for below in self._below(half))]


def group_rows(found: Found) -> list[GroupRow]:
    """The rows of the groups of a search, in its order."""
    whole = {measured.group.axis: measured.group for measured in found.groups if measured.parent is None}
    halved = {measured.parent for measured in found.groups}
    return [
        GroupRow(
            name=named(measured.group, whole[measured.group.axis]),
            axis=measured.group.axis,
            parent=measured.parent,
            depth=measured.depth,
            layers=list(measured.group.layers),
            modules=list(measured.group.modules),
            parts=len(measured.group.parts),
            halved=place in halved,
            off=EffectRow.of(measured.off),
            alone=EffectRow.of(measured.alone),
        )
        for place, measured in enumerate(found.groups)
    ]
