"""A count out of n in, an interval for its rate out."""

from __future__ import annotations

import math

from scipy.special import bdtrc

from harness.errors import NoEvidenceError
from harness.stats.paired import CONFIDENCE, normal_quantile


def wilson_interval(count: float, n: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval for a proportion, two-sided, as fractions (low, high).

    (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n) (Wilson 1927, JASA 22, 209-212, as in Newcombe
    1998, Statistics in Medicine 17, 857-872). At the default confidence 95 % on each side, so `high` is an upper bound of
    a flip rate.

    Raises:
        NoEvidenceError: `count` is no count out of `n` > 0.
    """
    if not (0 < n < math.inf and 0 <= count <= n):
        raise NoEvidenceError(f"{count} is no count out of {n}")
    squared, p = normal_quantile(confidence) ** 2, count / n
    middle = p + squared / (2 * n)
    reach = math.sqrt(squared * (p * (1 - p) / n + squared / (4 * n**2)))
    whole = 1 + squared / n
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)


def upper_tail(count: int, n: int, chance: float) -> float:
    """P(X >= count) for X ~ Binomial(n, chance): how likely luck alone gives so many; 1 for a count of 0.

    Raises:
        NoEvidenceError: `count` is no count out of `n` >= 0, or `chance` no probability.
    """
    if not (0 <= count <= n and 0 <= chance <= 1):
        raise NoEvidenceError(f"{count} is no count out of {n} by the chance {chance}")
    return 1.0 if count == 0 else float(bdtrc(count - 1, n, chance))
