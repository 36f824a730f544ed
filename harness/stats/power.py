"""The size of a suite and the rule of a gate in, what it can see out: exact, by enumeration of every outcome.

The model: each of n probes, on its own, is lost with probability drop + gain_rate and gained with probability
gain_rate. So an unchanged model in which a share f of the answers flips by chance, half of them each way, has
drop 0 and gain_rate f / 2.

Every rule here is such that, for the same gains, more losses never turn a failure into a pass. The outcomes in
which a gate fails are then known from the fewest losses at which it fails, for each number of gains, and their
probability is a sum over the gains of binomial tails.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc, gammaln, xlog1py, xlogy

from harness.errors import NoEvidenceError
from harness.stats.paired import (
    CONFIDENCE,
    ROUNDING,
    Counts,
    least_to_retain,
    mid_p_values,
    normal_quantile,
    tango_z,
)

POWER = 0.80
"""How often a drop must be found for it to count as detectable."""

DROP_STEP = 0.0005
"""How exactly the minimum detectable drop is found."""

FLIP_RATE = 0.02
"""The share of an unchanged model's answers that is supposed to flip by chance, half of it each way."""


class Rule(Protocol):
    """When a comparison of n probes fails. Hashable, so that what follows from it is worked out once."""

    def fails(self, lost: Counts, gained: Counts, n: int) -> NDArray[np.bool_]:
        """Whether it fails, for each pair of counts; both arrays have one shape."""
        ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class Significant:
    """Losses outweigh gains by McNemar's one-sided mid-p: whether there is a drop at all, whatever the margin."""

    level: float = 0.05

    def fails(self, lost: Counts, gained: Counts, n: int) -> NDArray[np.bool_]:
        failing: NDArray[np.bool_] = mid_p_values(lost, gained) <= self.level
        return failing


@dataclass(frozen=True)
class OverMargin:
    """An interval held against a margin (a fraction).

    `inconclusive` says what becomes of an interval that straddles the margin: "observed" fails when the observed
    drop is over the margin, "fail" fails and "pass" passes. Over too few probes to be retained whatever their answers,
    "observed" decides nothing, as "pass".
    """

    margin: float
    inconclusive: Literal["observed", "fail", "pass"] = "observed"
    confidence: float = CONFIDENCE

    def fails(self, lost: Counts, gained: Counts, n: int) -> NDArray[np.bool_]:
        margin = self.margin + ROUNDING
        if margin >= 1:
            return np.zeros(lost.shape, dtype=np.bool_)
        failing: NDArray[np.bool_]
        needed = least_to_retain(self.margin, self.confidence)
        if self.inconclusive == "observed" and (needed is None or n >= needed):
            # An interval above the margin has a drop above it, one below it a drop below it: the drop decides.
            failing = (lost - gained) / n > margin
            return failing
        # The interval holds every d0 with |z(d0)| <= quantile, so z at the margin says on which side it lies.
        z = tango_z(lost, gained, n, margin)
        quantile = normal_quantile(self.confidence)
        failing = z > -quantile if self.inconclusive == "fail" else z > quantile
        return failing


@dataclass(frozen=True)
class AnyLost:
    """A single lost probe is enough."""

    def fails(self, lost: Counts, gained: Counts, n: int) -> NDArray[np.bool_]:
        failing: NDArray[np.bool_] = lost > 0
        return failing


SIGNIFICANT = Significant()


@lru_cache(maxsize=4096)
def least_failing_losses(n: int, rule: Rule = SIGNIFICANT) -> Counts:
    """For each number of gains 0..n, the fewest losses at which the rule fails; n + 1 where none is enough.

    Shape (n + 1,), not to be written to.
    """
    gained = np.arange(n + 1)
    never = n - gained + 1
    low, high = np.zeros(n + 1, dtype=np.int64), never.copy()  # the answer lies in low..high
    while (open_ := low < high).any():
        middle = (low + high) // 2
        failing = rule.fails(np.minimum(middle, n - gained), gained, n)
        high = np.where(open_ & failing, middle, high)
        low = np.where(open_ & ~failing, middle + 1, low)
    least = np.where(high == never, n + 1, high)
    least.flags.writeable = False
    return least


def power(n: int, drop: float, gain_rate: float, rule: Rule = SIGNIFICANT) -> float:
    """The probability that the rule fails when the true drop is `drop`.

    With drop = 0 it is the false-alarm rate on an unchanged model.

    Raises:
        NoEvidenceError: for n = 0 or rates that are no probabilities.
    """
    lost_rate = drop + gain_rate
    if n <= 0 or not (gain_rate >= 0 and lost_rate >= 0 and lost_rate + gain_rate <= 1 + 1e-12):
        raise NoEvidenceError(f"no power for n={n}, drop={drop}, gain rate={gain_rate}")
    least = least_failing_losses(n, rule)
    gained = np.flatnonzero(least <= n)
    rest = n - gained
    log_gained = (
        gammaln(n + 1) - gammaln(gained + 1) - gammaln(rest + 1)
        + xlogy(gained, gain_rate) + xlog1py(rest, -gain_rate)
    )  # fmt: skip
    lost_of_rest = min(lost_rate / (1 - gain_rate), 1.0) if gain_rate < 1 else 0.0
    enough = bdtrc(least[gained] - 1, rest, lost_of_rest)
    return min(float((np.exp(log_gained) * enough).sum()), 1.0)


@lru_cache(maxsize=4096)
def minimum_detectable_drop(
    n: int, gain_rate: float, wanted_power: float = POWER, rule: Rule = SIGNIFICANT
) -> float | None:
    """The smallest true drop at which the rule fails with `wanted_power`, to 0.0005; None if there is none.

    0.0 if it fails so often that an unchanged model does not pass it either.
    """
    low, high = 0.0, 1.0 - 2 * gain_rate
    if power(n, high, gain_rate, rule) < wanted_power:
        return None
    if power(n, low, gain_rate, rule) >= wanted_power:
        return low
    while high - low > DROP_STEP:
        middle = (low + high) / 2
        found = power(n, middle, gain_rate, rule) >= wanted_power
        low, high = (low, middle) if found else (middle, high)
    return high


def probes_for(
    drop: float, gain_rate: float, wanted_power: float = POWER, rule: Rule = SIGNIFICANT, most: int = 20_000
) -> int | None:
    """How many probes fail the rule with `wanted_power` when the true drop is `drop`; None if not even `most` do.

    Found by doubling and bisection. Counts are whole numbers, so power rises in a saw: a few probes fewer may
    do as well, and a few more may fall short by a hair.
    """
    above = 1
    while power(above, drop, gain_rate, rule) < wanted_power:
        above *= 2
        if above > most:
            return None
    below = above // 2
    while above - below > 1:
        middle = (above + below) // 2
        enough = power(middle, drop, gain_rate, rule) >= wanted_power
        below, above = (below, middle) if enough else (middle, above)
    return above


def probability_retained(n: int, margin: float, gain_rate: float, confidence: float = CONFIDENCE) -> float:
    """How often an unchanged model's whole interval lies at or below the margin."""
    return 1.0 - power(n, 0.0, gain_rate, OverMargin(margin, "fail", confidence))


def minimum_margin(
    n: int, gain_rate: float, floor: float = 0.0, wanted: float = POWER, confidence: float = CONFIDENCE
) -> float | None:
    """The smallest margin, in whole points, that holds an unchanged model's whole interval with probability `wanted`.

    Args:
        floor: no margin below this is taken, such as the drop between two equivalent runs.

    Returns:
        A fraction; None when no margin under 1 will do.
    """
    first = max(1, int(np.ceil(100 * floor - 1e-6)))
    grid = (points / 100 for points in range(first, 100))
    return next((m for m in grid if probability_retained(n, m, gain_rate, confidence) >= wanted), None)
