"""Pair baseline and tuned scores: two sets of scores in, one Comparison out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from harness.engine.requests import LogLikelihood
from harness.errors import NoEvidenceError
from harness.scoring.score import Score
from harness.stats.clusters import (
    clustered_interval,
    design_effect,
    effective_mid_p,
    numbered,
    student_quantile,
)
from harness.stats.paired import mcnemar_mid_p, normal_quantile, tango_interval
from harness.stats.paired_t import log_ratios, mean_interval, mean_p
from harness.stats.ratio import share_lost_interval
from harness.stats.strata import stratified_interval
from harness.suites.suite import Probe

Change = Literal["kept", "lost", "gained", "missed"]

_Counts = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
"""The probes lost, gained and in all, of each cluster."""

MOVED = 0.02
"""The share by which the bits of a text must change for it to flip."""


@dataclass(frozen=True)
class Pair:
    """One probe and both models' scores; `baseline` is None if only the tuned model was asked."""

    probe: Probe
    baseline: Score | None
    tuned: Score
    accepted: bool = False
    """Whether the loss is known and accepted, so that it counts as kept when its gates are decided."""

    @property
    def change(self) -> Change | None:
        """kept, lost, gained or missed; None without a baseline."""
        if self.baseline is None:
            return None
        if self.baseline.right:
            return "kept" if self.tuned.right else "lost"
        return "gained" if self.tuned.right else "missed"

    @property
    def as_decided(self) -> Pair:
        """The pair as gates count it: of an accepted loss, as if the tuned model had answered what the baseline did."""
        if not self.accepted or self.baseline is None:
            return self
        return replace(self, tuned=self.baseline, accepted=False)

    @property
    def by_bits(self) -> Pair:
        """The pair of a text as lost if its bits rise by more than `MOVED`, as gained if they fall so far; others as they are."""
        if self.baseline is None:
            return self
        match self.baseline.answer, self.tuned.answer:
            case LogLikelihood(logprob=before), LogLikelihood(logprob=after):
                rose, fell = after < before * (1 + MOVED), after > before * (1 - MOVED)
                return replace(
                    self,
                    baseline=replace(self.baseline, right=not fell),
                    tuned=replace(self.tuned, right=not rose),
                )
        return self

    @property
    def as_flip(self) -> Pair:
        """The pair as if each answer that was not lost or gained were kept, and each that was were lost."""
        if self.baseline is None:
            return self
        flipped = self.change in ("lost", "gained")
        return replace(
            self, baseline=replace(self.baseline, right=True), tuned=replace(self.tuned, right=not flipped)
        )


@dataclass(frozen=True)
class Comparison:
    """A slice before and after: counts of probes, rates as fractions.

    Attributes:
        interval: of the drop.
        mid_p: McNemar's, one-sided: how likely losses outweigh gains this clearly by chance.
        loss: the interval of the share lost of what the baseline knew; None if it knew nothing, or for pooled suites.
        clusters: how many there are, if any has several probes; else None, and probes are independent.
        design_effect: how many times the variance of independent probes the drop has.
        reach: how many standard errors the intervals reach at a look; None for one comparison of all probes.
    """

    kept: int
    lost: int
    gained: int
    missed: int
    interval: tuple[float, float]
    mid_p: float
    loss: tuple[float, float] | None = None
    clusters: int | None = None
    design_effect: float = 1.0
    reach: float | None = None

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

    @property
    def share_lost(self) -> float:
        """The share of the baseline's accuracy that was lost, 0 if it had none; negative if it rose."""
        return (self.lost - self.gained) / self.baseline_right if self.baseline_right else 0.0

    @property
    def quantile(self) -> float:
        """How many standard errors the intervals reach."""
        return _quantile(self.clusters) if self.reach is None else self.reach


@dataclass(frozen=True)
class Rise:
    """How much worse a model predicts the texts of a slice: relative rises of bits per byte, as fractions.

    Attributes:
        mean: exp of the mean log ratio, less 1.
        interval: of the mean.
        p: one-sided: how likely so large a mean is by chance.
    """

    mean: float
    interval: tuple[float, float]
    p: float


@dataclass(frozen=True)
class FlipRate:
    """The share of probes whose answer flips, to wrong or to right, and its interval, as fractions."""

    share: float
    interval: tuple[float, float]


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
    """Count the pairs kept, lost, gained and missed, and compute what follows from the counts of each cluster.

    Raises:
        NoEvidenceError: there are no pairs, or some lack a baseline.
    """
    changes = [pair.change for pair in pairs]
    if None in changes:
        raise NoEvidenceError("the baseline was not asked, so there is nothing to compare")
    counts = {change: changes.count(change) for change in get_args(Change)}
    cluster = numbered([pair.probe.cluster for pair in pairs])
    sizes = np.bincount(cluster)
    if sizes.size == cluster.size:
        return comparison(**counts)
    lost, gained = (
        np.bincount(cluster, [change == wanted for change in changes]) for wanted in ("lost", "gained")
    )
    return _clustered(**counts, by_cluster=(lost, gained, sizes))


def comparison(kept: int, lost: int, gained: int, missed: int) -> Comparison:
    """The Comparison of independent probes with these counts; raises NoEvidenceError if all are 0."""
    n = kept + lost + gained + missed
    interval, mid_p = tango_interval(lost, gained, n), mcnemar_mid_p(lost, gained)
    loss = share_lost_interval(kept, lost, gained, n) if kept + lost else None
    return Comparison(kept, lost, gained, missed, interval, mid_p, loss)


def _clustered(kept: int, lost: int, gained: int, missed: int, by_cluster: _Counts) -> Comparison:
    """The same of probes some of which go together; those of a single cluster say nothing of how much others would differ."""
    clusters = by_cluster[0].size
    if clusters == 1:
        return replace(comparison(kept, lost, gained, missed), clusters=clusters)
    effect = design_effect(*by_cluster)
    loss = None
    if kept + lost:
        effective = (count / effect for count in (kept, lost, gained, kept + lost + gained + missed))
        loss = share_lost_interval(*effective, quantile=_quantile(clusters))
    return Comparison(
        kept,
        lost,
        gained,
        missed,
        clustered_interval(*by_cluster),
        float(effective_mid_p(lost, gained, effect)),
        loss,
        clusters,
        effect,
    )


def _quantile(clusters: int | None) -> float:
    if clusters is None or clusters == 1:
        return normal_quantile()
    return student_quantile(clusters - 1)


def pooled(strata: Sequence[Comparison]) -> Comparison:
    """The Comparison over all probes of several, by the stratified score interval; raises NoEvidenceError if there are none.

    Probes of a stratum count by its design effect.
    """
    lost, gained, n, effects = (
        [getattr(stratum, name) for stratum in strata] for name in ("lost", "gained", "n", "design_effect")
    )
    clustered = [stratum for stratum in strata if stratum.clusters is not None]
    clusters = sum(stratum.n if stratum.clusters is None else stratum.clusters for stratum in strata)
    quantile = student_quantile(max(1, clusters - len(strata))) if clustered else None
    effective = [
        sum(count / effect for count, effect in zip(counts, effects, strict=True))
        for counts in (lost, gained)
    ]
    counts = {change: sum(getattr(stratum, change) for stratum in strata) for change in get_args(Change)}
    return Comparison(
        **counts,
        interval=stratified_interval(lost, gained, n, design_effects=effects, quantile=quantile),
        mid_p=float(effective_mid_p(*effective)),
        clusters=clusters if clustered else None,
        design_effect=sum(n) / sum(size / effect for size, effect in zip(n, effects, strict=True)),
    )


def flip_rate(strata: Iterable[Sequence[Pair]]) -> FlipRate:
    """The share of the probes of several suites that flip: the drop that would be seen if each flip were a loss.

    Raises:
        NoEvidenceError: there are no pairs, or some lack a baseline.
    """
    every = pooled([compare([pair.as_flip for pair in pairs]) for pairs in strata])
    low, high = every.interval
    return FlipRate(every.drop, (max(0.0, low), high))


def rise(pairs: Sequence[Pair]) -> Rise:
    """How much worse the tuned model predicts texts, by a paired t interval of the mean log ratio of their bits.

    Raises:
        NoEvidenceError: fewer than two texts, or one without a likelihood.
    """
    ratios = log_ratios([bits(pair.baseline) for pair in pairs], [bits(pair.tuned) for pair in pairs])
    low, high = mean_interval(ratios)
    return Rise(exp(ratios.mean()) - 1, (exp(low) - 1, exp(high) - 1), mean_p(ratios))


def bits(score: Score | None) -> float:
    """The bits of a text, up to a factor that is equal on both sides; raises NoEvidenceError if it has no likelihood."""
    if score is None or not isinstance(score.answer, LogLikelihood):
        raise NoEvidenceError("a text has no likelihood, so there is nothing to compare")
    return -score.answer.logprob
