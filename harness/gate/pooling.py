"""Pool several runs over the same probes: right or wrong before and after in each in, one Pooled comparison out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.errors import NoEvidenceError
from harness.stats.paired import tango_interval


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


def pool(before: Sequence[Sequence[bool]], after: Sequence[Sequence[bool]]) -> Pooled:
    """Compare each run's `after` with its `before`, probe by probe, and average over the runs.

    The interval is Tango's for the mean counts out of the number of probes. Another seed gives no new sample of probes,
    so n does not grow with the runs. That is conservative: averaging removes some noise, and the interval stays as wide
    as for one run.

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
    interval = tango_interval(mean_lost, mean_gained, n)
    drops = (lost - gained) / n
    return Pooled(
        n=n,
        lost=mean_lost,
        gained=mean_gained,
        baseline_accuracy=float(was.mean()),
        interval=interval,
        smallest_drop=float(drops.min()),
        largest_drop=float(drops.max()),
    )
