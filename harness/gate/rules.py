"""A gate and the size of its slice in, the Rule by which it fails out, as far as it is known before the answers are."""

from __future__ import annotations

from dataclasses import dataclass

from harness.gate.decide import LEVEL_OVERALL
from harness.stats.clusters import student_quantile
from harness.stats.power import Confirmed, OverMargin, Rule
from harness.suites.format import OnInconclusive


@dataclass(frozen=True)
class Extent:
    """How many probes a slice has, and how far they go together."""

    n: int
    clusters: int | None = None
    design_effect: float = 1.0

    @property
    def effective(self) -> int:
        """How many independent probes they are worth."""
        return max(1, int(self.n / self.design_effect))

    @property
    def quantile(self) -> float | None:
        """How many standard errors the interval reaches, where that is not the normal quantile."""
        return student_quantile(self.clusters - 1) if self.clusters and self.clusters > 1 else None


def slice_rule(margin: float, how: OnInconclusive, level: float, quantile: float | None = None) -> Rule:
    """The rule by which the gate over a slice fails, as far as it is known before the baseline is.

    Two things are not. A `max_loss` makes a gate stricter, by how little the baseline knows; and a baseline that knows nothing
    makes it VACUOUS. `calibrate` reports both.

    Args:
        level: of a confirmed gate: that of the run over its number of tests, which is Holm's for the smallest p-value.
    """
    return Confirmed(margin, level) if how == "confirmed" else OverMargin(margin, how, quantile)


def overall_rule(margin: float, strict: bool, quantile: float | None = None) -> Rule:
    """The rule by which the overall gate fails."""
    return OverMargin(margin, "fail", quantile) if strict else Confirmed(margin, LEVEL_OVERALL)
