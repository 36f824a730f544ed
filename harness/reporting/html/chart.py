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
    standing: Standing
    suite: str
    category: str | None


@dataclass(frozen=True)
class Chart:
    """The rows of each suite, the overall gate first and then the suite with the worst row, and the axes of changes and accuracies."""

    groups: Sequence[Sequence[ChartRow]]
    changes: Axis
    shares: Axis = SHARES


def accuracies(gates: Sequence[GateRow]) -> Chart:
    """The chart of all gates over drops in accuracy; texts have their own, and a share of flips is no drop."""
    return _chart([row for row in table_rows(gates) if row.max_rise is None and row.max_flips is None])


def rises(gates: Sequence[GateRow]) -> Chart:
    """The chart of all gates over texts: the rise of their bits per byte, in percent."""
    texts = (row for row in gates if row.max_rise is not None)
    return _chart(sorted(texts, key=lambda row: -(row.rise or 0.0)))


def _chart(rows: Sequence[GateRow]) -> Chart:
    axis = Axis.over(100 * value for row in rows for value in _reach(measured(row)))
    return Chart(
        [[_row(row, axis, place) for place, row in enumerate(group)] for group in _by_suite(rows)], axis
    )


def _reach(found: Measured) -> list[float]:
    return [number for number in (found.value, *(found.interval or ()), found.margin) if number is not None]


def _by_suite(rows: Sequence[GateRow]) -> list[list[GateRow]]:
    """The rows of each suite, the gate over all of it first; the suites in the order of their first rows, after the overall gate."""
    groups: dict[str, list[GateRow]] = {}
    for row in rows:
        groups.setdefault(row.suite, []).append(row)
    found = [sorted(group, key=lambda row: row.slice != "all") for group in groups.values()]
    return sorted(found, key=lambda group: group[0].over != "overall")


def _row(row: GateRow, axis: Axis, position: int) -> ChartRow:
    category = re.fullmatch(r"category\[(.*)\]", row.slice, re.DOTALL)
    whole = {"all": row.suite, "each": f"{row.suite} · each probe"}
    name = whole.get(row.slice, shown_slice(row.slice))
    level: Literal["overall", "suite", "category"] = "category" if category and position else "suite"
    if row.over == "overall":
        name, level = gate_name(row), "overall"
    elif category and not position:  # its suite has no row of its own
        name = f"{row.suite} · {name}"
    return ChartRow(
        name=name,
        level=level,
        n=row.n,
        baseline=_share(row.baseline_accuracy),
        tuned=_share(row.tuned_accuracy if row.n and row.max_rise is None else None),
        change=_change(row, axis),
        verdict=verdict(row),
        standing=standing(row),
        suite="" if level == "overall" else row.suite,
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
