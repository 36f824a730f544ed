"""A count out of n in, an interval for its rate out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import bdtrc

from harness.errors import NoEvidenceError
from harness.stats.clusters import design_effect, numbered, student_quantile
from harness.stats.paired import CONFIDENCE, normal_quantile


def rate_interval(counts: Sequence[bool], clusters: Sequence[str | None]) -> tuple[float, float]:
    """Wilson's interval for the share of probes that count, on effective counts and by Student's quantile as the gate's.

    Args:
        clusters: the name of each probe's cluster; None for a probe on its own.

    Raises:
        NoEvidenceError: there are no probes.
    """
    numbers = numbered(clusters)
    sizes, n = np.bincount(numbers), len(counts)
    if not 1 < sizes.size < n:  # all on their own, or a single cluster, which says nothing of others
        return wilson_interval(sum(counts), n)
    counted = np.bincount(numbers, counts)
    effect = design_effect(counted, np.zeros_like(counted), sizes)
    quantile = student_quantile(sizes.size - 1)
    return wilson_interval(sum(counts) / effect, n / effect, quantile=quantile)


def wilson_interval(
    count: float, n: float, confidence: float = CONFIDENCE, *, quantile: float | None = None
) -> tuple[float, float]:
    """Wilson's score interval for a proportion, two-sided, as fractions (low, high).

    (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n) (Wilson 1927, JASA 22, 209-212, as in Newcombe
    1998, Statistics in Medicine 17, 857-872). At the default confidence 95 % on each side, so `high` is an upper bound of
    a flip rate.

    Args:
        quantile: in place of the normal one of `confidence`.

    Raises:
        NoEvidenceError: `count` is no count out of `n` > 0.
    """
    if not (0 < n < math.inf and 0 <= count <= n):
        raise NoEvidenceError(f"{count} is no count out of {n}")
    squared, p = (normal_quantile(confidence) if quantile is None else quantile) ** 2, count / n
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
