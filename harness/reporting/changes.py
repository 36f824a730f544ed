"""The row of a probe in, what became of it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from harness.reporting.rows import ProbeRow

Change = Literal["lost", "gained", "missed", "kept", "alone", "texts"]

CHANGES: Mapping[Change, str] = {
    "lost": "the baseline was right, the tuned model is wrong",
    "gained": "the baseline was wrong, the tuned model is right",
    "missed": "both are wrong",
    "kept": "both are right",
    "alone": "only the tuned model was asked",
    "texts": "measured in bits per byte, neither right nor wrong",
}
"""What became of a probe, in the order of the page."""


def change_of(row: ProbeRow) -> Change:
    """What became of a probe; a text is only measured."""
    if row.tuned.kind == "likelihood":
        return "texts"
    return row.change or "alone"


def changes_of(rows: Sequence[ProbeRow]) -> Counter[Change]:
    """How many probes changed so."""
    return Counter(map(change_of, rows))
