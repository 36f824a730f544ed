"""Counts of a paired comparison in, the share of what the baseline knew that was lost, and its interval, out.

The ratio theta is tuned over baseline accuracy, (kept + gained) / (kept + lost); the share lost is 1 - theta. A drop of 20
points is a third of what a baseline with 60 % right knew, and all of what one with 20 % knew.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import NoEvidenceError
from harness.stats.paired import CONFIDENCE, ROUNDING, TINY, check_counts, normal_quantile
from harness.stats.root import root


def share_lost_interval(
    kept: float,
    lost: float,
    gained: float,
    n: float,
    confidence: float = CONFIDENCE,
    *,
    quantile: float | None = None,
) -> tuple[float, float]:
    """The score interval for the share lost, two-sided, as fractions (low, high); high is at most 1, low has no bound.

    It holds all 1 - theta with |`ratio_z`| at most the normal quantile (Nam and Blackwelder 2002, Statistics in Medicine
    21, 689-699; Tang, Tang and Chan 2003, Statistics in Medicine 22, 1217-1233). Where nothing flips it is
    -z^2 / knew to z^2 / (knew + z^2), knew = kept + lost, so `least_to_retain(max_loss)` known probes are the fewest
    that can be shown to be kept.

    Args:
        quantile: in place of the normal one of `confidence`, such as Student's.

    Raises:
        NoEvidenceError: the baseline knew nothing, or these are no counts out of `n`.
    """
    low, high = ratio_interval(kept, lost, gained, n, confidence, quantile=quantile)
    return 1 - high, 1 - low


def ratio_interval(
    kept: float,
    lost: float,
    gained: float,
    n: float,
    confidence: float = CONFIDENCE,
    *,
    quantile: float | None = None,
) -> tuple[float, float]:
    """The score interval for theta, as in `share_lost_interval`; within 0 and infinity.

    Raises:
        NoEvidenceError: the baseline knew nothing, or these are no counts out of `n`.
    """
    _check(kept, lost, gained, n)
    reach = normal_quantile(confidence) if quantile is None else quantile
    ratio = (kept + gained) / (kept + lost)

    def score(theta: float) -> float:
        return float(ratio_z(kept, lost, gained, n, theta))

    low = 0.0
    if ratio > 0:
        low = root(lambda theta: score(theta) - reach, 1e-12 * ratio, ratio, xtol=1e-14)
    above = 2 * max(ratio, 0.5)
    while score(above) > -reach:
        above *= 2
    return low, root(lambda theta: score(theta) + reach, ratio or 1e-12, above, xtol=1e-14)


def ratio_z(
    kept: ArrayLike, lost: ArrayLike, gained: ArrayLike, n: ArrayLike, theta: ArrayLike
) -> NDArray[np.float64]:
    """The score for the ratio theta > 0; positive where the ratio is larger. Of numbers, or of arrays that broadcast.

    z = (kept + gained - theta (kept + lost)) / sqrt(V), V = n (1 + theta) p + s (theta - 1) with s = kept + gained + lost.
    p, the constrained maximum-likelihood estimate of the probability of a loss, solves A p^2 + B p + C = 0 with
    A = n (1 + theta), B = (kept + lost) theta^2 - (kept + gained + 2 lost), C = lost (1 - theta) s / n
    (Tang, Tang and Chan 2003; Nam and Blackwelder 2002).
    """
    k, b, c, size, ratio = (np.asarray(x, dtype=np.float64) for x in (kept, lost, gained, n, theta))
    changed_or_kept = k + c + b
    p_lost = _larger_root(
        size * (1 + ratio),
        (k + b) * ratio**2 - (k + c + 2 * b),
        b * (1 - ratio) * changed_or_kept / size,
    )
    variance = size * (1 + ratio) * p_lost + changed_or_kept * (ratio - 1)
    z: NDArray[np.float64] = (k + c - ratio * (k + b)) / np.sqrt(np.maximum(variance, TINY))
    return z


def _larger_root(a: Any, b: Any, c: Any) -> Any:
    """Of a x^2 + b x + c, a > 0, in the form that takes no difference of like numbers."""
    root = np.sqrt(np.maximum(b * b - 4 * a * c, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(b > 0, -2 * c / (b + root), (root - b) / (2 * a))


def _check(kept: float, lost: float, gained: float, n: float) -> None:
    check_counts(lost, gained, n)
    if not (kept >= 0 and kept + lost + gained <= n * (1 + ROUNDING)):
        raise NoEvidenceError(
            f"{kept} kept, {lost} lost and {gained} gained cannot be counts out of {n} probes"
        )
    if kept + lost == 0:
        raise NoEvidenceError("the baseline knew nothing: there is no share of it to lose")
