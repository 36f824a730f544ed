"""The size of a suite in, what it can see out: exact, by enumeration of every outcome.

The model: each probe is lost with probability drop + gain_rate and gained with probability gain_rate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from harness.errors import NoEvidenceError
from harness.stats.paired import mcnemar_mid_p


def least_significant_losses(n: int, level: float = 0.05) -> NDArray[np.int64]:
    """For each number of gains 0..n, the fewest losses that the one-sided mid-p test calls significant.

    Shape (n + 1,); n + 1 where no number of losses is enough.
    """
    least = np.full(n + 1, n + 1, dtype=np.int64)
    lost = 1
    for gained in range(n + 1):
        while lost + gained <= n and mcnemar_mid_p(lost, gained) > level:
            lost += 1
        if lost + gained > n:
            break
        least[gained] = lost
    return least


def power(n: int, drop: float, gain_rate: float, level: float = 0.05) -> float:
    """The probability that the one-sided mid-p test finds a true `drop` with n probes.

    With drop = 0 it is the false-alarm rate on an unchanged model.

    Raises:
        NoEvidenceError: for n = 0 or rates that are no probabilities.
    """
    lost_rate = drop + gain_rate
    if n <= 0 or not (gain_rate >= 0 and lost_rate >= 0 and lost_rate + gain_rate <= 1 + 1e-12):
        raise NoEvidenceError(f"no power for n={n}, drop={drop}, gain rate={gain_rate}")
    least = least_significant_losses(n, level)
    total = 0.0
    for gained in range(n + 1):
        if least[gained] + gained > n:
            break
        lost = np.arange(least[gained], n - gained + 1)
        rest = n - gained - lost
        log_probability = (
            gammaln(n + 1) - gammaln(gained + 1) - gammaln(lost + 1) - gammaln(rest + 1)
            + xlogy(gained, gain_rate) + xlogy(lost, lost_rate)
            + xlogy(rest, max(1 - lost_rate - gain_rate, 0.0))
        )  # fmt: skip
        total += float(np.exp(log_probability).sum())
    return min(total, 1.0)


def smallest_drop(n: int, gain_rate: float, wanted_power: float = 0.80, level: float = 0.05) -> float | None:
    """The smallest true drop that n probes find with `wanted_power`, to 0.0005; None if none is found."""
    low, high = 0.0, 1.0 - 2 * gain_rate
    if power(n, high, gain_rate, level) < wanted_power:
        return None
    while high - low > 0.0005:
        middle = (low + high) / 2
        low, high = (low, middle) if power(n, middle, gain_rate, level) >= wanted_power else (middle, high)
    return high
