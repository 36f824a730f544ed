"""Counts of each cluster in, what going together costs, and an interval that allows for it, out.

Probes of a cluster (a template, a passage) tend to be lost together, so n of them say as much as n / (design effect)
independent ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, stdtrit

from harness.errors import NoEvidenceError
from harness.stats.paired import CONFIDENCE, check_counts
from harness.stats.strata import stratified_interval

FEW_CLUSTERS = 10
"""Below so many clusters their spread, and with it the design effect, is hardly known."""


def numbered(clusters: Sequence[str | None]) -> NDArray[np.intp]:
    """The number of each probe's cluster, from 0; a probe without a name is a cluster of its own."""
    numbers: dict[str | int, int] = {}
    return np.array(
        [numbers.setdefault(name or place, len(numbers)) for place, name in enumerate(clusters)],
        dtype=np.intp,
    )


def design_effect(lost: ArrayLike, gained: ArrayLike, size: ArrayLike) -> float:
    """How many times the variance of independent probes the drop has; at least 1.

    [G / (G - 1) sum (S - m d)^2 / n^2] / [(f - d^2) / n] over G clusters of m probes with S = lost - gained, d the drop and
    f the share of flips: the variance between clusters of a ratio estimate (Cochran 1977, Sampling Techniques, 3rd ed.;
    Rao and Scott 1992, Biometrics 48, 577-585) over that of independent probes. Clusters of one probe each are
    independent probes: exactly 1. So is a comparison whose probes all changed alike, or not at all, which says nothing
    of how they go together.

    Args:
        lost, gained, size: of each cluster, shape (clusters,).

    Raises:
        NoEvidenceError: there are no clusters, one alone, or the counts of one are no comparison.
    """
    b, c, m = _clusters(lost, gained, size)
    if (m == 1).all():
        return 1.0
    if m.size == 1:
        raise NoEvidenceError("one cluster: nothing says how much probes of another would differ")
    return float(design_effects(b, c, m))


def design_effects(lost: ArrayLike, gained: ArrayLike, size: ArrayLike) -> NDArray[np.float64]:
    """`design_effect` of many outcomes at once, unchecked: `lost` and `gained` have shape (..., clusters)."""
    b, c, m = (np.asarray(values, dtype=np.float64) for values in (lost, gained, size))
    n, clusters = m.sum(), m.shape[-1]
    drop = (b - c).sum(-1) / n
    flips = (b + c).sum(-1) / n
    between = clusters / (clusters - 1) * ((b - c - m * drop[..., None]) ** 2).sum(-1) / n**2
    independent = (flips - drop**2) / n
    with np.errstate(invalid="ignore", divide="ignore"):
        effect = np.where(independent > 1e-15, between / independent, 1.0)
    return np.maximum(effect, 1.0)


def variance_of_mean(values: ArrayLike, clusters: Sequence[str | None]) -> float:
    """The variance of the mean of probes' values, between clusters (Cochran 1977); at least that of independent ones.

    Args:
        values: shape (probes,), of two or more.
        clusters: the name of each probe's cluster; None for a probe on its own.
    """
    x, numbers = np.asarray(values, dtype=np.float64), numbered(clusters)
    independent = float(x.var(ddof=1)) / x.size
    sums = np.bincount(numbers, x - x.mean())
    if sums.size == 1:
        return independent
    return max(independent, float(sums.size / (sums.size - 1) * (sums**2).sum()) / x.size**2)


def clustered_interval(
    lost: ArrayLike, gained: ArrayLike, size: ArrayLike, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Tango's interval on the effective counts (lost, gained, n) / design effect, by Student's quantile of G - 1 degrees.

    For several strata of clusters, give their design effects and `student_quantile` to `stratified_interval`.

    Raises:
        NoEvidenceError: as for `design_effect`.
    """
    b, c, m = _clusters(lost, gained, size)
    return stratified_interval(
        b.sum(),
        c.sum(),
        m.sum(),
        design_effects=design_effect(b, c, m),
        quantile=student_quantile(m.size - 1, confidence),
    )


def student_quantile(degrees: float, confidence: float = CONFIDENCE) -> float:
    """How many standard errors a two-sided interval reaches; `degrees` are the clusters less the strata.

    (Korn and Graubard 1999, Analysis of Health Surveys.)

    Raises:
        NoEvidenceError: for no degrees of freedom, or what is no confidence.
    """
    if not degrees >= 1 or not 0 < confidence < 1:
        raise NoEvidenceError(
            f"no quantile for {degrees} degrees of freedom and a confidence of {confidence}"
        )
    return float(stdtrit(degrees, (1 + confidence) / 2))


def effective_mid_p(
    lost: ArrayLike, gained: ArrayLike, design_effects: ArrayLike = 1.0
) -> NDArray[np.float64]:
    """McNemar's one-sided mid-p value of (lost, gained) / design effect; counts need not be whole.

    By the incomplete beta function, of which binomial tails are the values at whole counts: P(X >= k) of n flips is
    I(1/2; k, n - k + 1) (DLMF 8.17.5).
    """
    b, c, effect = (np.asarray(values, dtype=np.float64) for values in (lost, gained, design_effects))
    b, c = b / effect, c / effect
    # At 0 the function has no value, but the tails have: all of it, and nothing.
    at_least = np.where(b > 0, betainc(np.maximum(b, _SMALL), c + 1, 0.5), 1.0)
    above = np.where(c > 0, betainc(b + 1, np.maximum(c, _SMALL), 0.5), 0.0)
    values: NDArray[np.float64] = (at_least + above) / 2
    return values


_SMALL = 1e-12


def _clusters(lost: ArrayLike, gained: ArrayLike, size: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    counts: list[Any] = [np.asarray(values, dtype=np.float64) for values in (lost, gained, size)]
    if len({values.shape for values in counts}) != 1 or counts[0].ndim != 1 or not counts[0].size:
        raise NoEvidenceError(
            f"clusters need one count each, saw shapes {[values.shape for values in counts]}"
        )
    for cluster in zip(*counts, strict=True):
        check_counts(*map(float, cluster))
    return tuple(counts)
