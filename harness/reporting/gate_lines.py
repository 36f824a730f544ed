"""The rows of gates in, a table for a terminal out: the worst first, each drop with its bar, as many columns as fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.gate.decide import Outcome
from harness.reporting.bars import DRAWN, TYPED, bar, heading
from harness.reporting.explain import INTERVAL, at_most
from harness.reporting.gate_table import Standing, standing, table_rows
from harness.reporting.in_short import gate_name
from harness.reporting.measured import measured
from harness.reporting.only_accepted import only_because
from harness.reporting.rows import GateRow
from harness.reporting.view import Line, Piece, Style, View, line
from harness.tables import columns, fitted
from harness.visible import visible
from harness.wording import between, count, points, tenths

GROUPS: Mapping[Outcome, str] = {
    "failed": "failed", "excused": "excused", "warned": "warned", "skipped": "decided nothing", "passed": "passed",
}  # fmt: skip
"""The groups of rows by outcome, the worst first."""

STYLES: dict[Standing, Style] = {"bad": "bad", "good": "good", "open": "open", "none": "quiet"}
LEAST_NAME = 20


@dataclass(frozen=True)
class Column:
    """A column; the one with the highest rank is left out first where the terminal is narrow."""

    heading: str | Callable[[View], str]
    cell: Callable[[GateRow, View], str]
    rank: int = 0
    left: bool = False
    styled: bool = False


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def interval(row: GateRow) -> str:
    """The interval of what a gate is judged by."""
    found = measured(row)
    return "-" if found.interval is None else f"{between(found.interval)}{found.unit}"


def margin(row: GateRow) -> str:
    """Its margin."""
    found = measured(row)
    return "-" if found.margin is None else f"{points(found.margin)}{found.unit}"


def _baseline(row: GateRow) -> str:
    return "-" if row.baseline_accuracy is None or row.max_rise is not None else tenths(row.baseline_accuracy)


def _tuned(row: GateRow) -> str:
    return "-" if not row.n or row.max_rise is not None else tenths(row.tuned_accuracy)


def verdict_word(row: GateRow) -> str:
    """The verdict alone; its outcome is told by the group."""
    if row.outcome == "skipped" and row.undecided:
        return "not gated" if row.not_gated else "undecided"
    word: str = row.verdict or ("RIGHT" if row.outcome == "passed" else "WRONG")
    return f"{word}, accepted" if only_because(row) else word


def claim(row: GateRow) -> str:
    """What a RETAINED says: "at most 7.2 points lost"; or why a gate did not fail that else would have."""
    if why := only_because(row):
        return why
    if verdict_word(row) != "RETAINED" or row.over == "each":
        return ""
    if row.rise_interval is not None:
        return f"up by at most {points(max(row.rise_interval[1], 0.0))} %"
    if row.flips_interval is not None:
        return f"at most {points(row.flips_interval[1])} % flip"
    return "" if row.interval is None else at_most(row.interval[1])


COLUMNS = (
    Column("", lambda row, view: visible(gate_name(row, view.separator)), left=True),
    Column("n", lambda row, view: str(row.n), rank=7),
    Column("baseline", lambda row, view: _baseline(row), rank=6),
    Column("tuned", lambda row, view: _tuned(row), rank=6),
    Column("drop", lambda row, view: measured(row).shown),
    Column(
        lambda view: heading(view.unicode),
        lambda row, view: bar(row, DRAWN if view.unicode else TYPED),
        left=True,
        styled=True,
    ),
    Column(INTERVAL, lambda row, view: interval(row), rank=4),
    Column("margin", lambda row, view: margin(row), rank=2),
    Column("kept", lambda row, view: _number(row.kept), rank=3),
    Column("lost", lambda row, view: _number(row.lost), rank=1),
    Column("gained", lambda row, view: _number(row.gained), rank=1),
    Column("missed", lambda row, view: _number(row.missed), rank=3),
    Column("verdict", lambda row, view: verdict_word(row), left=True, styled=True),
    Column("", lambda row, view: claim(row), rank=5, left=True),
)
"""All columns, in their order on the screen."""


@dataclass(frozen=True)
class Table:
    """The heading and the rows of a table, and what its rows are, to say what is left out; the first line of a group is None."""

    heading: Line
    lines: Sequence[Line]
    rows: Sequence[GateRow | None]

    def left_out(self, first: int) -> str:
        """Words on the rows from `first` on: "15 more rows (12 failed, 3 passed)"; empty if there are none."""
        numbers = Counter(row.outcome for row in self.rows[first:] if row is not None)
        each = ", ".join(f"{numbers[name]:,} {words}" for name, words in GROUPS.items() if numbers[name])
        return f"{count(numbers.total(), 'more row')} ({each})" if each else ""


def gate_table(gates: Sequence[GateRow], view: View) -> Table:
    """The table of all gates: the one over all suites, then the others by how they ended, the worst first."""
    rows = table_rows(gates)
    titles = [
        column.heading if isinstance(column.heading, str) else column.heading(view) for column in COLUMNS
    ]
    cells = [[column.cell(row, view) for column in COLUMNS] for row in rows]
    shown, widths = _chosen([titles, *cells], view.width)
    lines: list[Line] = []
    which: list[GateRow | None] = []
    group = None
    for row, own in zip(rows, cells, strict=True):
        if row.over != "overall" and row.outcome != group:
            group = row.outcome
            lines.append(line(GROUPS[group], "strong"))
            which.append(None)
        lines.append(_line(own, shown, widths, STYLES[standing(row)]))
        which.append(row)
    return Table(_line(titles, shown, widths, "plain"), lines, which)


def _chosen(rows: Sequence[Sequence[str]], width: int) -> tuple[list[int], list[int]]:
    """The places of the columns that fit, and the widths of all; a long name is cut."""
    widths = [max(columns(row[place]) for row in rows) for place in range(len(COLUMNS))]
    for most in sorted({column.rank for column in COLUMNS}, reverse=True):
        shown = [
            place
            for place, column in enumerate(COLUMNS)
            if column.rank <= most and (widths[place] or not place)
        ]
        others = sum(widths[place] + 2 for place in shown[1:])
        if others + widths[0] <= width or (most == 1 and others + LEAST_NAME <= width):
            break
    widths[0] = max(LEAST_NAME, min(widths[0], width - others))
    return shown, widths


def _line(cells: Sequence[str], shown: Sequence[int], widths: Sequence[int], style: Style) -> Line:
    pieces: list[Piece] = []
    for place in shown:
        column = COLUMNS[place]
        gap = "  " if pieces else ""
        pieces.append(
            Piece(gap + fitted(cells[place], widths[place], column.left), style if column.styled else "plain")
        )
    while len(pieces) > 1 and not pieces[-1].text.strip():
        pieces.pop()
    return (*pieces[:-1], pieces[-1]._replace(text=pieces[-1].text.rstrip()))
