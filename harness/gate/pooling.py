"""Pool several runs over the same probes: right or wrong before and after in each in, one Pooled comparison out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import NoEvidenceError
from harness.stats.clusters import student_quantile
from harness.stats.paired import CONFIDENCE, tango_interval
from harness.stats.strata import stratified_interval


@dataclass(frozen=True)
class Pooled:
    """Mean counts of probes over runs, so not whole numbers; rates as fractions.

    Attributes:
        n: the number of probes, whatever the number of runs.
        smallest_drop, largest_drop: the drops of the runs that lost least and most.
    """

    n: int
    lost: float
    gained: float
    baseline_accuracy: float
    interval: tuple[float, float]
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
    before: Sequence[Sequence[bool]], after: Sequence[Sequence[bool]], confidence: float = CONFIDENCE
) -> Pooled:
    """Compare each run's `after` with its `before`, probe by probe, and average over the runs.

    The interval of one run is Tango's, which allows for other probes and says nothing about another seed. That of several
    allows for both: see `_interval`.

    Args:
        before, after: for each run, whether each probe was right; the same probes in the same order in all of them.

    Raises:
        NoEvidenceError: there are no runs or no probes, or the two sides differ in number.
    """
    sizes = {len(run) for run in (*before, *after)}
    if len(before) != len(after) or len(sizes) != 1:
        raise NoEvidenceError(
            f"cannot compare {len(before)} runs before with {len(after)} after, over {sorted(sizes)} probes: runs come in "
            "pairs over the same probes"
        )
    n = sizes.pop()
    was, now = np.array(before, dtype=bool), np.array(after, dtype=bool)  # (runs, probes)
    lost, gained = (was & ~now).sum(axis=1), (now & ~was).sum(axis=1)  # (runs,)
    mean_lost = float(lost.mean())
    mean_gained = min(float(gained.mean()), n - mean_lost)  # rounding must not make more flips than probes
    net = lost - gained
    interval = _interval(mean_lost, mean_gained, n, net, confidence)
    return Pooled(
        n=n,
        lost=mean_lost,
        gained=mean_gained,
        baseline_accuracy=float(was.mean()),
        interval=interval,
        smallest_drop=float(net.min() / n),
        largest_drop=float(net.max() / n),
    )


def _interval(
    lost: float, gained: float, n: int, net: NDArray[np.int64], confidence: float
) -> tuple[float, float]:
    """Tango's interval of the mean counts, widened by the variance between runs.

    The variance of the mean drop is that of one run's probes plus s^2 / runs, where s is the standard deviation of the
    runs' drops. The sum over the first is a design effect, and the quantile Student's by the degrees of freedom of
    Satterthwaite (1946, Biometrics Bulletin 2, 110-114). The probes' noise is in both terms, which is conservative. Runs
    with the same drop leave Tango's interval as it is: the same probes asked again are no new sample of probes. Where true
    drops differ by 5 points between seeds, 90 % intervals of three or more runs cover in 93 to 98 %, of two in 88 to 94
    (benchmarks/ladder_statistics.py).

    Args:
        lost, gained: mean counts over the runs.
        net: lost - gained of each run, shape (runs,).
    """
    between = float(net.var(ddof=1)) / n**2 / net.size if net.size > 1 else 0.0
    if between == 0:
        return tango_interval(lost, gained, n, confidence)
    within = ((lost + gained) / n - ((lost - gained) / n) ** 2) / n
    degrees = (net.size - 1) * (1 + within / between) ** 2
    return stratified_interval(
        lost, gained, n,
        design_effects=1 + between / within, quantile=student_quantile(degrees, confidence),
    )  # fmt: skip
