"""The row of a gate in, the number that it is judged by out: a drop, the rise of texts, or the share of answers that flip."""

from __future__ import annotations

from dataclasses import dataclass

from harness.reporting.rows import GateRow
from harness.wording import tenths


@dataclass(frozen=True)
class Measured:
    """A number, its interval and its margin, as fractions; `unit` follows them where they are no points."""

    value: float | None
    interval: tuple[float, float] | None
    margin: float | None
    unit: str = ""
    signed: bool = False

    @property
    def shown(self) -> str:
        """The number for people: "28.5", "+11.1 %", "3.3 %"; "-" for none."""
        if self.value is None:
            return "-"
        return f"{100 * self.value:+z.1f}{self.unit}" if self.signed else f"{tenths(self.value)}{self.unit}"


def measured(row: GateRow) -> Measured:
    """What a gate is judged by."""
    if row.max_rise is not None:
        return Measured(row.rise, row.rise_interval, row.max_rise, " %", signed=True)
    if row.max_flips is not None:
        return Measured(row.flips, row.flips_interval, row.max_flips, " %")
    return Measured(row.drop, row.interval, row.max_drop)
