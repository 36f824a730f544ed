"""The options of a run in, how its verdicts become outcomes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.suites.severity import SEVERITIES, Severity

MAX_DROP_OVERALL = 0.03
"""The margin of the gate over all suites, a fraction."""


def overall_margin(
    given: float | Literal["off"] | None, otherwise: float | None = MAX_DROP_OVERALL
) -> float | None:
    """The margin of the overall gate by what the user gave: `otherwise` for nothing, None for "off"."""
    if given is None:
        return otherwise
    return None if given == "off" else float(given)


@dataclass(frozen=True)
class Policy:
    """How verdicts become outcomes.

    Attributes:
        strict: every gate must be RETAINED.
        fail_on: the lowest severity that fails.
        max_drop_overall: the margin of the overall gate, a fraction; None for no such gate.
        max_flips: the margin of the gate over answers that flip, a fraction; None for no such gate.
    """

    strict: bool = False
    fail_on: Severity = "low"
    max_drop_overall: float | None = MAX_DROP_OVERALL
    max_flips: float | None = None

    def fails(self, severity: Severity) -> bool:
        return SEVERITIES.index(severity) <= SEVERITIES.index(self.fail_on)
