"""The rows of a record about two forms of one model, such as an adapter and the same merged: how alike they answer, and why not.

The text under each field is its line in docs/record.md.
"""

from __future__ import annotations

from typing import Literal

from harness.models.cause import Cause, Kind
from harness.reporting.row import Row


class AgreementRow(Row):
    """How alike two forms answer a suite."""

    probes: int
    """The probes that both were asked."""
    same: int | None = None
    """Those to which both wrote the same text, or chose the same; null for texts that are only measured."""
    flips: int
    """Those that one had right and the other wrong; of texts, those whose bits change by more than 2 %, up or down."""
    nats: tuple[float, float] | None = None
    """By how much log-probabilities differ, in nats a token: the median and the largest difference of a choice or text; null for
    generated answers."""


class DifferenceRow(Row):
    """Where two answers to a probe part."""

    suite: str
    """The name of the suite."""
    id: str
    """The probe's id."""
    unit: Literal["token", "character"]
    """What `place` counts: characters where no form tells its tokens."""
    place: int
    """The first token or character of the answer that differs, from 1."""
    first: str
    """What the first form wrote there; empty where its answer ends."""
    other: str
    """What the other wrote."""
    first_gap: float | None = None
    """How many nats likelier the first form finds its own words than the other's; null where it cannot tell."""
    other_gap: float | None = None
    """How many nats likelier the other form finds its own words than the first's."""


class CauseRow(Row):
    """Something that explains why answers differ, found in the forms themselves."""

    kind: Kind
    """The word for it."""
    seen: str
    """The evidence."""
    remedy: str
    """What to do about it."""

    @classmethod
    def of(cls, cause: Cause) -> CauseRow:
        """The row of a cause."""
        return cls(kind=cause.kind, seen=cause.seen, remedy=cause.remedy)


class EqualRow(Row):
    """How alike two forms of one model answer."""

    suites: dict[str, AgreementRow]
    """By suite."""
    differences: list[DifferenceRow] = []
    """Where the answers of some probes part; at most 20 a suite."""
    causes: list[CauseRow] = []
    """What explains it, the likeliest first; empty if nothing differs, or no usual cause was found."""

    @property
    def compared(self) -> int:
        """The probes of all suites whose answers are texts or choices."""
        return sum(row.probes for row in self.suites.values() if row.same is not None)

    @property
    def same(self) -> int:
        """Those to which both wrote or chose the same."""
        return sum(row.same or 0 for row in self.suites.values())

    @property
    def nats(self) -> float | None:
        """The largest difference of log-probabilities, in nats a token; None if none was measured."""
        return max((row.nats[1] for row in self.suites.values() if row.nats is not None), default=None)
