"""Log ratios of the same texts' likelihoods in, their mean with its interval and p-value out.

A log ratio is ln(tuned / baseline) of a positive cost such as bits per byte: positive when worse, and for small ones the relative
rise. Texts differ in how hard they are far more than in how much harder they become, which is why ratios see so much.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import nctdtr, stdtr, stdtrit

from harness.errors import NoEvidenceError
from harness.stats.clusters import student_quantile
from harness.stats.paired import CONFIDENCE
from harness.stats.root import root


def log_ratios(baseline: ArrayLike, tuned: ArrayLike) -> NDArray[np.float64]:
    """ln(tuned / baseline) of each text.

    Args:
        baseline, tuned: positive costs of the same texts in the same order, shape (texts,).

    Raises:
        NoEvidenceError: there are none, they differ in number, or one is not positive and finite.
    """
    before, after = np.asarray(baseline, dtype=np.float64), np.asarray(tuned, dtype=np.float64)
    if before.shape != after.shape or before.ndim != 1 or not before.size:
        raise NoEvidenceError(f"costs must be as many on both sides, saw {before.shape} and {after.shape}")
    if not all(((cost > 0) & (cost < np.inf)).all() for cost in (before, after)):
        raise NoEvidenceError("a cost must be positive and finite to have a ratio")
    ratios: NDArray[np.float64] = np.log(after / before)
    return ratios


def mean_interval(values: ArrayLike, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Student's interval for the mean, two-sided: mean +- t(n - 1) s / sqrt(n) (Student 1908, Biometrika 6, 1-25).

    Raises:
        NoEvidenceError: fewer than two values, one that is not finite, or what is no confidence.
    """
    mean, error, degrees = _mean(values)
    reach = student_quantile(degrees, confidence) * error
    return mean - reach, mean + reach


def mean_p(values: ArrayLike) -> float:
    """The one-sided p-value that the mean is larger than 0; 0.5 where every value is just that.

    Raises:
        NoEvidenceError: fewer than two values, or one that is not finite.
    """
    mean, error, degrees = _mean(values)
    if error == 0:
        return 0.5 if mean == 0 else float(mean < 0)
    return float(stdtr(degrees, -mean / error))


@lru_cache(maxsize=256)
def detectable_mean(n: int, deviation: float, wanted_power: float = 0.80, level: float = 0.05) -> float:
    """The smallest mean that a one-sided t test finds with `wanted_power`, by the noncentral t distribution.

    Args:
        deviation: the standard deviation of the values.

    Raises:
        NoEvidenceError: fewer than two values, or a deviation or chances that are none.
    """
    if n < 2 or not 0 <= deviation < math.inf or not 0 < level < wanted_power < 1:
        raise NoEvidenceError(
            f"no power for n={n}, deviation={deviation}, level={level}, power={wanted_power}"
        )
    critical = float(stdtrit(n - 1, 1 - level))
    shift = root(
        lambda delta: float(nctdtr(n - 1, delta, critical)) - (1 - wanted_power), 0.0, 10.0 + 2 * critical
    )
    return float(shift * deviation / math.sqrt(n))


def probability_within(n: int, most: float, deviation: float, confidence: float = CONFIDENCE) -> float:
    """How often the whole interval of the mean of `n` values, of which the true mean is 0, lies at or below `most`.

    The mean less `most`, over its standard error, is noncentral t.

    Raises:
        NoEvidenceError: fewer than two values, a limit that is not finite, or a deviation that is not positive.
    """
    if n < 2 or not math.isfinite(most) or not 0 < deviation < math.inf:
        raise NoEvidenceError(f"no chance for n={n}, limit={most}, deviation={deviation}")
    reach = student_quantile(n - 1, confidence)
    return 1.0 - float(nctdtr(n - 1, most * math.sqrt(n) / deviation, reach))


def _mean(values: ArrayLike) -> tuple[float, float, int]:
    """The mean, its standard error and the degrees of freedom."""
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or x.size < 2 or not np.isfinite(x).all():
        raise NoEvidenceError(f"a mean needs two finite values or more to be sure of anything, saw {x.size}")
    # Of equal values the mean may differ from each by rounding alone, which is no spread.
    spread = 0.0 if (x == x[0]).all() else float(x.std(ddof=1))
    return (float(x[0]) if spread == 0 else float(x.mean())), spread / math.sqrt(x.size), x.size - 1
