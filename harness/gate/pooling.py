"""The same probes right or wrong before and after, in several runs, in; one pooled comparison out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import NoEvidenceError
from harness.stats.paired import tango_interval


@dataclass(frozen=True)
class Pooled:
    """How probes did before and after, averaged over runs: counts of probes, not whole numbers; rates as fractions.

    Attributes:
        n: the number of probes, however many runs asked them.
        smallest, largest: the drop of the run that lost least, and of the one that lost most.
    """

    n: int
    lost: float
    gained: float
    baseline_accuracy: float
    interval: tuple[float, float]
    smallest: float
    largest: float

    @property
    def drop(self) -> float:
        """Baseline minus tuned accuracy; positive when worse."""
        return (self.lost - self.gained) / self.n

    @property
    def tuned_accuracy(self) -> float:
        return self.baseline_accuracy - self.drop


def pool(before: Sequence[Sequence[bool]], after: Sequence[Sequence[bool]]) -> Pooled:
    """Compare each run's `after` with its `before`, probe by probe, and average over the runs.

    The interval is Tango's, of the mean counts out of the number of probes. Asking the same probes of a model
    trained under another seed gives no new sample of probes, so n does not grow with the runs. That is
    conservative: averaging takes some of the noise away, and the interval is as wide as for one run.

    Args:
        before, after: for each run, whether each probe was right; all runs have the same probes in one order.

    Raises:
        NoEvidenceError: there are no runs or no probes, or they are not the same on both sides.
    """
    sizes = {len(run) for run in (*before, *after)}
    if len(before) != len(after) or len(sizes) != 1:
        raise NoEvidenceError(
            f"{len(before)} and {len(after)} runs over {sorted(sizes)} probes cannot be compared: each must have "
            "its counterpart over the same probes"
        )
    n, runs = sizes.pop(), len(before)
    if n == 0:
        raise NoEvidenceError("no probes: nothing follows from an empty comparison")
    lost = [
        sum(was and not now for was, now in zip(*run, strict=True)) for run in zip(before, after, strict=True)
    ]
    gained = [
        sum(now and not was for was, now in zip(*run, strict=True)) for run in zip(before, after, strict=True)
    ]
    drops = [(less - more) / n for less, more in zip(lost, gained, strict=True)]
    mean_lost = sum(lost) / runs
    mean_gained = min(sum(gained) / runs, n - mean_lost)  # rounding must not make more flips than probes
    return Pooled(
        n=n,
        lost=mean_lost,
        gained=mean_gained,
        baseline_accuracy=sum(map(sum, before)) / (n * runs),
        interval=tango_interval(mean_lost, mean_gained, n),
        smallest=min(drops),
        largest=max(drops),
    )
