"""A drop, its interval and its margin in, a small bar out.

All bars have one scale, the margin's, so zero and the margin are at the same place in each: even up to the margin, and beyond
it two cells for each doubling.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

from harness.reporting.measured import measured
from harness.reporting.rows import GateRow

CELLS = 18
ZERO, MARGIN = 3, 8
"""The cells of no drop and of the margin."""
DOUBLING = 2
"""The cells between a drop and its double, beyond the margin."""
UNIT = 0.05
"""The scale of a gate whose margin is zero, a fraction."""


@dataclass(frozen=True)
class Signs:
    """What a bar is drawn with."""

    zero: str
    margin: str
    low: str
    line: str
    high: str
    crossed: str
    value: str
    before: str
    beyond: str


DRAWN = Signs("·", "│", "├", "─", "┤", "┼", "●", "◂", "▸")
TYPED = Signs(":", "|", "[", "-", "]", "+", "o", "<", ">")
"""The same in ASCII."""


def heading(unicode: bool) -> str:
    """What stands over bars: zero, the margin, four and sixteen times the margin."""
    times = "×" if unicode else "x"
    places = {ZERO: "0", MARGIN - 3: "margin", MARGIN + 2 * DOUBLING: f"{times}4", CELLS - 3: f"{times}16"}
    text = ""
    for place, words in places.items():
        text = text.ljust(place) + words
    return text


def bar(row: GateRow, drawn: Signs) -> str:
    """The bar of a gate; empty for one without a drop or a margin."""
    found = measured(row)
    value, interval, margin = found.value, found.interval, found.margin
    if value is None or margin is None:
        return ""
    at = MARGIN if margin > 0 else ZERO
    cells = [" "] * CELLS
    cells[ZERO] = drawn.zero
    cells[at] = drawn.margin
    low, high = (_place(end, margin, at) for end in interval or (value, value))
    for place in range(max(low, 0), min(high, CELLS - 1) + 1):
        cells[place] = drawn.crossed if place == at else drawn.line
    _put(cells, low, drawn.low, drawn)
    _put(cells, high, drawn.high, drawn)
    _put(cells, _place(value, margin, at), drawn.value, drawn)
    return "".join(cells)


def _put(cells: list[str], place: int, sign: str, drawn: Signs) -> None:
    """Put a sign in its cell, or an arrow where it is out of the bar."""
    if place < 0:
        cells[0] = drawn.before
    elif place >= CELLS:
        cells[-1] = drawn.beyond
    else:
        cells[place] = sign


def _place(value: float, margin: float, at: int) -> int:
    """The cell of a value; the margin's own is kept free, so that no rounding moves a value over it."""
    scaled = min(max(value / (margin or UNIT), -CELLS), 2**CELLS)
    beyond = MARGIN + DOUBLING * log2(scaled) if scaled > 1 else ZERO + scaled * (MARGIN - ZERO)
    place = round(beyond)
    if place == at and value != margin:
        return at + 1 if value > margin else at - 1
    return place
