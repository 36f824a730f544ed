"""The rows of gates in, the rows of a chart out: texts, and places in percent of a drawing's width.

The template draws them as SVG without a fixed width, so that one drawing fits a desk and a phone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Literal

from harness.gate.cases import shown_slice
from harness.reporting.gate_table import Standing, standing, table_rows, verdict
from harness.reporting.in_short import gate_name
from harness.reporting.measured import Measured, measured
from harness.reporting.rows import GateRow
from harness.suites.suite import OVERALL
from harness.wording import between, points, tenths

ROOM = 3.0
"""Percent of a drawing's width that is left free at each end of its axis."""

MOST_TICKS = 8


@dataclass(frozen=True)
class Tick:
    """A number on an axis: its place in percent of the width, and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Axis:
    """An axis from `low` to `high`."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Iterable[float]) -> Axis:
        """An axis with room for these values and for zero."""
        seen = [0.0, *values]
        low, high = min(seen), max(seen)
        return cls(low, high if high > low else low + 1)

    def place(self, value: float) -> float:
        """Where a value is, in percent of the width."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(ROOM + share * (100 - 2 * ROOM), 2)

    @property
    def ticks(self) -> list[Tick]:
        """Round numbers, at most eight."""
        steps = (unit * 10**power for power in range(-3, 6) for unit in (1, 2, 5))
        step = next(step for step in steps if (self.high - self.low) / step < MOST_TICKS)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [Tick(self.place(step * n), f"{step * n:g}") for n in range(first, last + 1)]


SHARES = Axis(0, 100)
"""The axis of accuracies, in percent."""


@dataclass(frozen=True)
class Mark:
    """A change, drawn: its place, the ends of its interval, its margin, and the values in words."""

    at: float
    ends: tuple[float, float] | None
    margin: float | None
    text: str
    interval: str
    margin_text: str


@dataclass(frozen=True)
class ChartRow:
    """A slice. `baseline` and `tuned` are percents as texts, with their places; None of what the run did not measure."""

    name: str
    level: Literal["overall", "suite", "category"]
    n: int
    baseline: Tick | None
    tuned: Tick | None
    change: Mark | None
    verdict: str
    outcome: str
    standing: Standing
    suite: str
    category: str | None


@dataclass(frozen=True)
class Chart:
    """The rows of each suite, the overall gate first and then the worst, and the axis of their changes."""

    groups: Sequence[Sequence[ChartRow]]
    changes: Axis

    @property
    def shares(self) -> Axis:
        """The axis of accuracies."""
        return SHARES

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.groups


def accuracies(gates: Sequence[GateRow]) -> Chart:
    """The chart of all gates over right and wrong answers."""
    rows = [row for row in table_rows(gates) if row.max_rise is None]
    axis = Axis.over(100 * value for row in rows for value in _reach(measured(row)))
    return Chart(_by_suite(rows, axis), axis)


def rises(gates: Sequence[GateRow]) -> Chart:
    """The chart of all gates over texts: the rise of their bits per byte, in percent."""
    rows = sorted((row for row in gates if row.max_rise is not None), key=lambda row: -(row.rise or 0.0))
    axis = Axis.over(100 * value for row in rows for value in _reach(measured(row)))
    return Chart(_by_suite(rows, axis), axis)


def _reach(found: Measured) -> list[float]:
    return [number for number in (found.value, *(found.interval or ()), found.margin) if number is not None]


def _by_suite(rows: Sequence[GateRow], axis: Axis) -> list[list[ChartRow]]:
    """In the order of their whole suites, or of their worst slice where there is no gate over the whole."""
    groups: dict[str, list[GateRow]] = {}
    for row in sorted(rows, key=lambda row: row.slice == "all", reverse=True):
        groups.setdefault(row.suite, []).append(row)
    order = list(dict.fromkeys(row.suite for row in rows))
    found = [sorted(groups[suite], key=lambda row: (row.slice != "all", rows.index(row))) for suite in groups]
    found.sort(key=lambda group: (group[0].over != "overall", order.index(group[0].suite)))
    return [[_row(row, axis, position) for position, row in enumerate(group)] for group in found]


def _row(row: GateRow, axis: Axis, position: int) -> ChartRow:
    category = re.fullmatch(r"category\[(.*)\]", row.slice, re.DOTALL)
    level: Literal["overall", "suite", "category"] = "category" if category else "suite"
    if row.over == "overall":
        level = "overall"
    whole = {"all": row.suite, "each": f"{row.suite} · each probe"}
    name = gate_name(row) if level == "overall" else whole.get(row.slice, shown_slice(row.slice))
    if level == "category" and not position:  # its suite has no row of its own
        name = f"{row.suite} · {name}"
    return ChartRow(
        name=name,
        level=level if position or level == "overall" else "suite",
        n=row.n,
        baseline=_share(row.baseline_accuracy),
        tuned=_share(row.tuned_accuracy if row.n and row.max_rise is None else None),
        change=_change(row, axis),
        verdict=verdict(row),
        outcome=row.outcome,
        standing=standing(row),
        suite="" if row.suite == OVERALL and level == "overall" else row.suite,
        category=category[1] if category else None,
    )


def _share(value: float | None) -> Tick | None:
    return None if value is None else Tick(SHARES.place(100 * value), tenths(value))


def _change(row: GateRow, axis: Axis) -> Mark | None:
    found = measured(row)
    value, interval, margin = found.value, found.interval, found.margin
    if value is None:
        return None
    ends = None if interval is None else (axis.place(100 * interval[0]), axis.place(100 * interval[1]))
    return Mark(
        at=axis.place(100 * value),
        ends=ends,
        margin=None if margin is None else axis.place(100 * margin),
        text=found.shown,
        interval="" if interval is None else between(interval),
        margin_text="" if margin is None else points(margin),
    )
