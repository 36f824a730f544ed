"""Counts of a paired comparison in, interval and p-value out.

Throughout, `lost` probes were right before and wrong after, `gained` the reverse, out of `n`; the
drop is (lost - gained) / n, positive when worse. Counts that are means over several runs need not be whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import bdtrc, ndtri

from harness.errors import NoEvidenceError

Counts = NDArray[np.int64]

CONFIDENCE = 0.90
"""Of a two-sided interval where no other is asked for: 95 % on each side."""

ROUNDING = 1e-9
"""Slack for fractions such as 0.1 that have no exact binary form."""

_TINY = np.finfo(np.float64).tiny


def tango_interval(lost: float, gained: float, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Tango's score interval for the drop, two-sided, as fractions (low, high).

    The interval is all d0 with |z(d0)| at most the normal quantile, where
    z(d0) = (lost - gained - n d0) / sqrt(n (2 q + d0 (1 - d0))) and q is the constrained maximum-likelihood
    estimate of the probability of a gain (Tango 1998, Statistics in Medicine 17, 891-908). It never has
    zero width: with no flips it is +-z^2 / (n + z^2).

    Raises:
        NoEvidenceError: for counts that are no comparison, above all n = 0.
    """
    check_counts(lost, gained, n)
    quantile = normal_quantile(confidence)
    drop = (lost - gained) / n

    def score(d0: float) -> float:
        return tango_z(lost, gained, n, d0)

    edge = 1 - 1e-12
    nudge = 1e-12
    low = high = drop
    if drop > -1:
        low = _crossing(lambda d0: score(d0) - quantile, -edge, drop - nudge)
    if drop < 1:
        high = _crossing(lambda d0: score(d0) + quantile, drop + nudge, edge)
    return low, high


def _crossing(function: Callable[[float], float], left: float, right: float) -> float:
    return float(brentq(function, left, right, xtol=1e-12))


@overload
def tango_z(lost: float, gained: float, n: int, d0: float) -> float: ...
@overload
def tango_z(lost: Counts, gained: Counts, n: int, d0: float) -> NDArray[np.float64]: ...
def tango_z(lost: Any, gained: Any, n: int, d0: float) -> Any:
    """Tango's score for the drop d0, within (-1, 1): of two counts, or of each pair in two arrays of one shape."""
    a = 2 * n
    b = -lost - gained + (2 * n - lost + gained) * d0
    c = -gained * d0 * (1 - d0)
    q = (np.sqrt(np.maximum(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = n * (2 * q + d0 * (1 - d0))
    # It is 0 only at d0 = 0 and without a flip; the score then is 0 too.
    return ((lost - gained) - n * d0) / np.sqrt(np.maximum(variance, _TINY))


def normal_quantile(confidence: float) -> float:
    """How many standard deviations a two-sided interval reaches; raises NoEvidenceError for what is no confidence."""
    if not 0 < confidence < 1:
        raise NoEvidenceError(f"confidence must lie between 0 and 1, saw {confidence}")
    return float(ndtri((1 + confidence) / 2))


def mcnemar_mid_p(lost: int, gained: int) -> float:
    """McNemar's one-sided mid-p value that losses outweigh gains.

    P(X > lost) + P(X = lost) / 2 for X ~ Binomial(lost + gained, 1/2) (Fagerland, Lydersen and Laake 2013).
    With no discordant probe it is 0.5: nothing speaks for a loss, nothing against.
    """
    check_counts(lost, gained, max(lost + gained, 1))
    return float(mid_p_values(np.asarray(lost), np.asarray(gained)))


def mid_p_values(lost: Counts, gained: Counts) -> NDArray[np.float64]:
    """McNemar's one-sided mid-p value of each pair of counts, as the mean of P(X > lost) and P(X >= lost)."""
    discordant = lost + gained
    values: NDArray[np.float64] = (bdtrc(lost, discordant, 0.5) + bdtrc(lost - 1, discordant, 0.5)) / 2
    return values


@lru_cache
def least_to_retain(margin: float, confidence: float = CONFIDENCE) -> int | None:
    """The fewest probes over which the interval of no flips lies within `margin`; None for no margin: none are enough.

    Without flips Tango's interval reaches z^2 / (n + z^2), so n is at least z^2 (1 - margin) / margin: 25 at a margin of 10
    points, 11 at 20.
    """
    if margin <= 0:
        return None
    squared = normal_quantile(confidence) ** 2
    return max(1, math.ceil(squared * (1 - margin) / margin - ROUNDING))


def probes_to_settle(
    lost: int, gained: int, n: int, margin: float, confidence: float = CONFIDENCE, most: int = 1_000_000
) -> int | None:
    """How many probes, flipping at the observed rates, would put the interval on one side of `margin`.

    Returns:
        The smallest such number of probes found by doubling and bisection, or None if not even `most`
        would do, as when the observed drop is the margin itself.
    """
    check_counts(lost, gained, n)

    def settled(size: int) -> bool:
        lost_then = round(lost * size / n)
        gained_then = min(round(gained * size / n), size - lost_then)
        low, high = tango_interval(lost_then, gained_then, size, confidence)
        return high <= margin or low > margin

    above = n
    while not settled(above):
        above *= 2
        if above > most:
            return None
    below = above // 2 if above > n else 0
    while above - below > max(1, above // 200):
        middle = (above + below) // 2
        below, above = (below, middle) if settled(middle) else (middle, above)
    return above


def check_counts(lost: float, gained: float, n: int) -> None:
    """Raise NoEvidenceError unless `lost` and `gained` are counts out of `n` > 0 probes."""
    if n <= 0:
        raise NoEvidenceError("no probes: nothing follows from an empty comparison")
    if lost < 0 or gained < 0 or lost + gained > n:
        raise NoEvidenceError(f"{lost} lost and {gained} gained are no counts out of {n} probes")
