"""Counts of several strata in, the drop over all of them with its interval and p-value out.

A stratum is a set of probes with rates of its own, such as a suite. Pooling keeps every probe's weight, so the drop is that
of all probes, and takes the variance from within the strata.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import NoEvidenceError
from harness.stats.paired import (
    CONFIDENCE,
    TINY,
    check_counts,
    normal_quantile,
    score_interval,
    variance_of_net,
)


def stratified_interval(
    lost: ArrayLike,
    gained: ArrayLike,
    n: ArrayLike,
    confidence: float = CONFIDENCE,
    *,
    design_effects: ArrayLike = 1.0,
    quantile: float | None = None,
) -> tuple[float, float]:
    """The stratified score interval for the drop over all probes, two-sided, as fractions (low, high).

    All d0 with |`stratified_z`| at most the normal quantile; of one stratum it is Tango's interval.

    Args:
        lost, gained, n: of each stratum, shape (strata,).
        design_effects: how many times the variance of independent probes each stratum has (`harness.stats.clusters`).
        quantile: in place of the normal one of `confidence`, such as Student's.

    Raises:
        NoEvidenceError: there is no stratum, the counts of one are no comparison, or a design effect is below 1.
    """
    b, c, size = _strata(lost, gained, n)
    effects = np.broadcast_to(np.asarray(design_effects, dtype=np.float64), size.shape)
    if not ((effects >= 1) & (effects < np.inf)).all():
        raise NoEvidenceError(f"design effects must be finite and at least 1, saw {effects.tolist()}")
    return score_interval(
        lambda d0: float(stratified_z(b, c, size, d0, effects)),
        float((b - c).sum() / size.sum()),
        normal_quantile(confidence) if quantile is None else quantile,
    )


def stratified_z(
    lost: ArrayLike, gained: ArrayLike, n: ArrayLike, d0: float, design_effects: ArrayLike = 1.0
) -> NDArray[np.float64]:
    """The score for the drop d0, within (-1, 1), over all probes of the strata; positive where the drop is larger.

    z(d0) = sum(lost - gained - n d0) / sqrt(sum(n (2 q + d0 (1 - d0)))), where q is Tango's restricted estimate of the
    probability of a gain in each stratum (Tango 1998, Statistics in Medicine 17, 891-908). The sum of the strata's
    scores over the root of their summed variances is the stratified test of Cochran (1954, Biometrics 10, 417-451).

    Args:
        lost, gained: shape (..., strata): many outcomes at once.
        n: shape (strata,).

    Returns:
        Shape (...).
    """
    b, c, size = (np.asarray(values, dtype=np.float64) for values in (lost, gained, n))
    variance = np.asarray(design_effects) * variance_of_net(b, c, size, d0)  # shape (..., strata)
    z: NDArray[np.float64] = (b - c - size * d0).sum(-1) / np.sqrt(np.maximum(variance.sum(-1), TINY))
    return z


def _strata(lost: ArrayLike, gained: ArrayLike, n: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    counts: list[Any] = [np.atleast_1d(np.asarray(values, dtype=np.float64)) for values in (lost, gained, n)]
    if len({values.shape for values in counts}) != 1 or counts[0].ndim != 1:
        raise NoEvidenceError(f"strata need one count each, saw shapes {[values.shape for values in counts]}")
    if not counts[0].size:
        raise NoEvidenceError("no strata: nothing follows from an empty comparison")
    for stratum in zip(*counts, strict=True):
        check_counts(*map(float, stratum))
    return tuple(counts)
