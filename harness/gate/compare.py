"""Pair baseline and tuned scores: two sets of scores in, one Comparison out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from harness.errors import NoEvidenceError
from harness.scoring.score import Score
from harness.stats.paired import mcnemar_mid_p, tango_interval
from harness.suites.suite import Probe

Change = Literal["kept", "lost", "gained", "missed"]


@dataclass(frozen=True)
class Pair:
    """One probe and both models' scores; `baseline` is None if only the tuned model was asked."""

    probe: Probe
    baseline: Score | None
    tuned: Score

    @property
    def change(self) -> Change | None:
        """kept, lost, gained or missed; None without a baseline."""
        if self.baseline is None:
            return None
        if self.baseline.right:
            return "kept" if self.tuned.right else "lost"
        return "gained" if self.tuned.right else "missed"


@dataclass(frozen=True)
class Comparison:
    """A slice before and after: counts of probes, rates as fractions."""

    kept: int
    lost: int
    gained: int
    missed: int
    interval: tuple[float, float]
    mid_p: float

    @property
    def n(self) -> int:
        return self.kept + self.lost + self.gained + self.missed

    @property
    def baseline_right(self) -> int:
        return self.kept + self.lost

    @property
    def baseline_accuracy(self) -> float:
        return self.baseline_right / self.n

    @property
    def tuned_accuracy(self) -> float:
        return (self.kept + self.gained) / self.n

    @property
    def drop(self) -> float:
        """Baseline minus tuned accuracy; positive when worse."""
        return (self.lost - self.gained) / self.n


def pair(
    probes: Sequence[Probe], baseline: Mapping[str, Score] | None, tuned: Mapping[str, Score]
) -> list[Pair]:
    """Match both models' scores by the id of their probe.

    Raises:
        NoEvidenceError: a probe lacks a score on one side.
    """
    sides = {"tuned": tuned} if baseline is None else {"baseline": baseline, "tuned": tuned}
    for side, scores in sides.items():
        if missing := [probe.id for probe in probes if probe.id not in scores]:
            raise NoEvidenceError(
                f"the {side} model has no score for {len(missing)} of {len(probes)} probes, "
                f"the first of them '{missing[0]}'"
            )
    return [
        Pair(probe, None if baseline is None else baseline[probe.id], tuned[probe.id]) for probe in probes
    ]


def compare(pairs: Sequence[Pair]) -> Comparison:
    """Count the pairs kept, lost, gained and missed, and compute the drop's interval and mid-p value.

    Raises:
        NoEvidenceError: there are no pairs, or some lack a baseline.
    """
    changes = [pair.change for pair in pairs]
    if None in changes:
        raise NoEvidenceError("the baseline was not asked, so there is nothing to compare")
    return comparison(**{change: changes.count(change) for change in get_args(Change)})


def comparison(kept: int, lost: int, gained: int, missed: int) -> Comparison:
    """The Comparison with these counts; raises NoEvidenceError if all are 0."""
    interval = tango_interval(lost, gained, kept + lost + gained + missed)
    return Comparison(kept, lost, gained, missed, interval, mcnemar_mid_p(lost, gained))
