"""Estimates with intervals and a weight for each in, their weighted sum with an interval out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from harness.errors import NoEvidenceError


@dataclass(frozen=True)
class Estimate:
    """An estimate with its interval, and its weight in a sum."""

    weight: float
    value: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Sum:
    """A weighted sum with its interval."""

    value: float
    interval: tuple[float, float]


def combined(parts: Iterable[Estimate]) -> Sum:
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
