"""Estimates with intervals and a weight for each in, their weighted sum with an interval out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.errors import NoEvidenceError
from harness.stats.paired import CONFIDENCE
from harness.stats.rates import wilson_interval


@dataclass(frozen=True)
class Rate:
    """`count` out of `n`, and the weight of the rate in a sum; the weight may be negative."""

    count: int
    n: int
    weight: float


@dataclass(frozen=True)
class Part:
    """An estimate with its interval, and its weight in a sum."""

    weight: float
    value: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Sum:
    """A weighted sum with its interval."""

    value: float
    interval: tuple[float, float]


def weighted_sum(rates: Sequence[Rate]) -> float:
    """sum w count / n; raises NoEvidenceError for no rate, or one of nothing."""
    if not rates or any(rate.n < 1 for rate in rates):
        raise NoEvidenceError(f"no rate follows from {[(rate.count, rate.n) for rate in rates]}")
    return sum(rate.weight * rate.count / rate.n for rate in rates)


def weighted_interval(rates: Sequence[Rate], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The interval of `weighted_sum` over independent groups, two-sided, as fractions (low, high): `combined` of Wilson's.

    It never has zero width.

    Raises:
        NoEvidenceError: as `weighted_sum` does, and for what is no count.
    """
    weighted_sum(rates)
    return combined(
        Part(rate.weight, rate.count / rate.n, wilson_interval(rate.count, rate.n, confidence))
        for rate in rates
    ).interval


def combined(parts: Iterable[Part]) -> Sum:
    """The weighted sum of independent estimates, with an interval from theirs.

    The sum less and plus the root of the summed squares by which each interval, times its weight, reaches below and above its
    estimate: the method of variance estimates recovery (Zou and Donner 2008, Statistics in Medicine 27, 1693-1702; of several
    terms Zou, Huang and Zhang 2009, Computational Statistics & Data Analysis 53, 1080-1085, eq. 3). Skewed intervals stay
    skewed, and the confidence is theirs.

    Raises:
        NoEvidenceError: there is nothing to sum.
    """
    given = list(parts)
    if not given:
        raise NoEvidenceError("a sum of no estimates says nothing")
    middle = below = above = 0.0
    for part in given:
        own = part.weight * part.value
        low, high = sorted(part.weight * end for end in part.interval)
        middle, below, above = middle + own, below + (own - low) ** 2, above + (high - own) ** 2
    return Sum(middle, (middle - math.sqrt(below), middle + math.sqrt(above)))
