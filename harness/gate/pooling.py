"""Pool several runs over the same probes: right or wrong before and after in each in, one Pooled comparison out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import NoEvidenceError
from harness.stats.clusters import design_effects, numbered, student_quantile
from harness.stats.paired import CONFIDENCE, check_counts
from harness.stats.strata import stratified_interval


@dataclass(frozen=True)
class Unit:
    """What a probe goes together with: the others of its suite, which is a stratum, and those of its cluster there."""

    suite: str
    cluster: str | None = None


@dataclass(frozen=True)
class Pooled:
    """Mean counts of probes over runs, so not whole numbers; rates as fractions.

    Attributes:
        n: the number of probes, whatever the number of runs.
        error: the standard error of the drop.
        smallest_drop, largest_drop: the drops of the runs that lost least and most.
    """

    n: int
    lost: float
    gained: float
    baseline_accuracy: float
    interval: tuple[float, float]
    error: float
    smallest_drop: float
    largest_drop: float

    @property
    def drop(self) -> float:
        """Baseline minus tuned accuracy; positive when worse."""
        return (self.lost - self.gained) / self.n

    @property
    def tuned_accuracy(self) -> float:
        return self.baseline_accuracy - self.drop


def pool(
    units: Sequence[Unit],
    before: Sequence[Sequence[bool]],
    after: Sequence[Sequence[bool]],
    confidence: float = CONFIDENCE,
) -> Pooled:
    """Compare each run's `after` with its `before`, probe by probe, and average over the runs.

    The interval of one run is that of the gate over several suites (`gate.compare.pooled`), which allows for other probes and
    says nothing about another seed. That of several allows for both: see `_spread`.

    Args:
        units: what each probe goes together with.
        before, after: for each run, whether each probe was right; the same probes in the same order in all of them.

    Raises:
        NoEvidenceError: there are no runs or no probes, or the two sides differ in number.
    """
    sizes = {len(run) for run in (*before, *after)}
    if len(before) != len(after) or sizes != {len(units)}:
        raise NoEvidenceError(
            f"cannot compare {len(before)} runs before with {len(after)} after, over {sorted(sizes)} probes: runs come in "
            "pairs over the same probes"
        )
    n = len(units)
    was, now = np.array(before, dtype=bool), np.array(after, dtype=bool)  # (runs, probes)
    lost, gained = was & ~now, now & ~was
    mean_lost, mean_gained = (float(side.sum(axis=1).mean()) for side in (lost, gained))
    check_counts(mean_lost, mean_gained, n)
    net = lost.sum(axis=1) - gained.sum(axis=1)  # (runs,)
    strata = list(_strata(units, lost, gained))
    error, widening, degrees = _spread(strata, net)
    interval = stratified_interval(
        [stratum.lost for stratum in strata],
        [stratum.gained for stratum in strata],
        [stratum.n for stratum in strata],
        confidence,
        design_effects=[stratum.design_effect * widening for stratum in strata],
        quantile=None if math.isinf(degrees) else student_quantile(degrees, confidence),
    )
    return Pooled(
        n=n,
        lost=mean_lost,
        gained=mean_gained,
        baseline_accuracy=float(was.mean()),
        interval=interval,
        error=error,
        smallest_drop=float(net.min() / n),
        largest_drop=float(net.max() / n),
    )


@dataclass(frozen=True)
class _Stratum:
    """A suite: mean counts over the runs; `clusters` is None where its probes are independent, or nothing tells otherwise."""

    n: int
    lost: float
    gained: float
    clusters: int | None
    design_effect: float

    @property
    def variance(self) -> float:
        """Of lost - gained."""
        return self.design_effect * (self.lost + self.gained - (self.lost - self.gained) ** 2 / self.n)


def _strata(units: Sequence[Unit], lost: NDArray[np.bool_], gained: NDArray[np.bool_]) -> Iterator[_Stratum]:
    """The suites; the design effect of each is the mean of the runs'.

    Args:
        lost, gained: shape (runs, probes).
    """
    names = np.array([unit.suite for unit in units], dtype=object)
    for name in dict.fromkeys(names):
        members = np.flatnonzero(names == name).tolist()
        cluster = numbered([units[member].cluster for member in members])
        sizes = np.bincount(cluster)
        of_lost, of_gained = (
            np.array([np.bincount(cluster, run, sizes.size) for run in side[:, members]])  # (runs, clusters)
            for side in (lost, gained)
        )
        mean_lost, mean_gained = (float(side.sum(axis=1).mean()) for side in (of_lost, of_gained))
        n, together = len(members), 1 < sizes.size < len(members)
        yield _Stratum(
            n=n,
            lost=mean_lost,
            gained=min(mean_gained, n - mean_lost),  # rounding makes no flips
            clusters=sizes.size if together else None,
            design_effect=float(design_effects(of_lost, of_gained, sizes).mean()) if together else 1.0,
        )


def _spread(strata: Sequence[_Stratum], net: NDArray[np.int64]) -> tuple[float, float, float]:
    """The standard error of the mean drop, how many times that of one run's probes its variance is, and degrees of freedom.

    The variance of the mean drop is that of one run's probes plus s^2 / runs, where s is the standard deviation of the
    runs' drops. The sum over the first is a design effect, and the quantile Student's by the degrees of freedom of
    Satterthwaite (1946, Biometrics Bulletin 2, 110-114). The probes' noise is in both terms, which is conservative. Runs
    with the same drop leave the interval of one as it is: the same probes asked again are no new sample of probes. Where
    true drops differ by 5 points between seeds, 90 % intervals of three or more runs cover in 93 to 98 %, of two in 88 to 94
    (benchmarks/ladder_statistics.py).

    Args:
        net: lost - gained of each run, shape (runs,).
    """
    n = sum(stratum.n for stratum in strata)
    within = sum(stratum.variance for stratum in strata) / n**2
    degrees = math.inf
    if any(stratum.clusters for stratum in strata):
        degrees = max(1, sum(stratum.clusters or stratum.n for stratum in strata) - len(strata))
    between = float(net.var(ddof=1)) / n**2 / net.size if net.size > 1 else 0.0
    if between == 0:
        return math.sqrt(within), 1.0, degrees
    whole = within + between
    return (
        math.sqrt(whole),
        whole / within,
        whole**2 / (within**2 / degrees + between**2 / (net.size - 1)),
    )
