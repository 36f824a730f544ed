"""Counts of a paired comparison in, interval and p-value out.

Throughout, `lost` probes were right before and wrong after, `gained` the reverse, out of `n`; the
drop is (lost - gained) / n, positive when worse. Counts need not be whole: they may be means over several runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc, ndtri

from harness.errors import NoEvidenceError
from harness.stats.root import root

Counts = NDArray[np.int64]

CONFIDENCE = 0.90
"""The default of a two-sided interval: 95 % on each side."""

ROUNDING = 1e-9
"""Slack for fractions such as 0.1 that have no exact binary form."""

EXACT = 1e-12
"""How exactly the bounds of an interval are found."""

TINY = np.finfo(np.float64).tiny
"""The least variance that a score divides by: without a flip it is 0, and so is the score."""


def tango_interval(
    lost: float, gained: float, n: float, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Tango's score interval for the drop, two-sided, as fractions (low, high).

    The interval is all d0 with |z(d0)| at most the normal quantile, where
    z(d0) = (lost - gained - n d0) / sqrt(n (2 q + d0 (1 - d0))) and q is the constrained maximum-likelihood
    estimate of the probability of a gain (Tango 1998, Statistics in Medicine 17, 891-908). It never has
    zero width: with no flips it is +-z^2 / (n + z^2).

    Raises:
        NoEvidenceError: for counts that do not fit `n`, above all n = 0.
    """
    check_counts(lost, gained, n)
    return score_interval(
        lambda d0: tango_z(lost, gained, n, d0), (lost - gained) / n, normal_quantile(confidence)
    )


def score_interval(score: Callable[[float], float], drop: float, quantile: float) -> tuple[float, float]:
    """The drops d0 whose |score(d0)| is at most `quantile`, as fractions (low, high).

    Args:
        score: falls from one end to the other, and is 0 at `drop`, the observed one.
    """

    def crossing(level: float, left: float, right: float) -> float:
        return root(lambda d0: score(d0) - level, left, right, xtol=EXACT)

    # Each bound is bracketed by the drop and an end.
    low = crossing(quantile, EXACT - 1, drop - EXACT) if drop > EXACT - 1 else drop
    high = crossing(-quantile, drop + EXACT, 1 - EXACT) if drop < 1 - EXACT else drop
    return low, high


@overload
def tango_z(lost: float, gained: float, n: float, d0: float) -> float: ...
@overload
def tango_z(lost: Counts, gained: Counts, n: float, d0: float) -> NDArray[np.float64]: ...
def tango_z(lost: Any, gained: Any, n: float, d0: float) -> Any:
    """Tango's score for the drop d0, within (-1, 1), of two counts or of each pair in two arrays of one shape."""
    # The variance is 0 only at d0 = 0 without a flip, where the score is 0 too.
    return ((lost - gained) - n * d0) / np.sqrt(np.maximum(variance_of_net(lost, gained, n, d0), TINY))


def variance_of_net(lost: Any, gained: Any, n: Any, d0: float) -> Any:
    """The variance of lost - gained where the drop is d0, within (-1, 1): n (2 q + d0 (1 - d0)), as in `tango_interval`.

    Of numbers, or of arrays that broadcast.
    """
    a = 2 * n
    b = -lost - gained + (2 * n - lost + gained) * d0
    c = -gained * d0 * (1 - d0)
    q = (np.sqrt(np.maximum(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    return n * (2 * q + d0 * (1 - d0))


def normal_quantile(confidence: float = CONFIDENCE) -> float:
    """How many standard deviations a two-sided interval reaches; raises NoEvidenceError unless 0 < `confidence` < 1."""
    if not 0 < confidence < 1:
        raise NoEvidenceError(f"confidence must lie between 0 and 1, saw {confidence}")
    return float(ndtri((1 + confidence) / 2))


def mcnemar_mid_p(lost: int, gained: int) -> float:
    """McNemar's one-sided mid-p value that losses outweigh gains.

    P(X > lost) + P(X = lost) / 2 for X ~ Binomial(lost + gained, 1/2) (Fagerland, Lydersen and Laake 2013).
    With no discordant probe it is 0.5: there is evidence neither for a loss nor against.
    """
    check_counts(lost, gained, max(lost + gained, 1))
    return float(mid_p_values(np.asarray(lost), np.asarray(gained)))


def mid_p_values(lost: Counts, gained: Counts) -> NDArray[np.float64]:
    """McNemar's one-sided mid-p value of each pair of counts, as the mean of P(X > lost) and P(X >= lost)."""
    discordant = lost + gained
    values: NDArray[np.float64] = (bdtrc(lost, discordant, 0.5) + bdtrc(lost - 1, discordant, 0.5)) / 2
    return values


@lru_cache
def least_to_retain(margin: float, quantile: float | None = None) -> int | None:
    """The fewest probes over which the interval without flips lies within `margin`; None without a margin, where no number does.

    Without flips Tango's interval reaches z^2 / (n + z^2), so n is at least z^2 (1 - margin) / margin: 25 at a margin of 10
    points, 11 at 20.

    Args:
        quantile: of the interval, in place of the normal one.
    """
    if margin <= 0:
        return None
    squared = (normal_quantile(CONFIDENCE) if quantile is None else quantile) ** 2
    return max(1, math.ceil(squared * (1 - margin) / margin - ROUNDING))


def smallest(enough: Callable[[int], bool], start: int, most: int, precision: float = 0.0) -> int | None:
    """The smallest number that is enough, by doubling `start` and bisection; None if not even `most` is.

    Args:
        precision: the relative error that is acceptable.
    """
    above = start
    while not enough(above):
        above *= 2
        if above > most:
            return None
    below = above // 2 if above > start else 0
    while above - below > max(1, above * precision):
        middle = (above + below) // 2
        below, above = (below, middle) if enough(middle) else (middle, above)
    return above


def check_counts(lost: float, gained: float, n: float) -> None:
    """Raise NoEvidenceError unless `lost` and `gained` are counts out of `n` > 0 probes."""
    if not 0 < n < math.inf:
        raise NoEvidenceError("no probes: nothing follows from an empty comparison")
    # Counts over a design effect need not sum exactly.
    if not (lost >= 0 and gained >= 0 and lost + gained <= n * (1 + ROUNDING)):
        raise NoEvidenceError(f"{lost} lost and {gained} gained cannot be counts out of {n} probes")
