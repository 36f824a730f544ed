"""A loss that was looked at and accepted: which, by whom, why, until when, and of which baseline."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

FILE = "accepted.yaml"
"""The file beside a suite that holds what was accepted of it."""


@dataclass(frozen=True)
class Acceptance:
    """One accepted loss.

    Attributes:
        on, until: days; it counts through the last one, and for ever without one.
        baseline: the reference of the model that knew the answer.
        weights, base_weights: its content, as its ModelRow has it; None for an engine of a user's own.
        asked: the content key of what the models were shown.
        place: its file and line.
    """

    suite: str
    probe: str
    because: str
    by: str
    on: date
    until: date | None
    baseline: str
    weights: str | None
    base_weights: str | None
    asked: str
    place: str = field(default="", compare=False)

    @property
    def id(self) -> str:
        """SUITE::PROBE."""
        return f"{self.suite}::{self.probe}"
