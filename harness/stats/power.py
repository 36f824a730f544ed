"""The size of a suite and the rule of a gate in, the drops that it can detect out: exact, by enumeration of all outcomes.

The model: each of n probes is lost with probability drop + gain_rate and gained with probability gain_rate, independently
of the others. So an unchanged model whose answers flip by chance at a rate f, half of them each way, has drop 0 and
gain_rate f / 2.

Under every rule here, more losses at the same gains never turn a failure into a pass. So the fewest losses at which a
gate fails, for each number of gains, determine all outcomes in which it fails, and their probability is a sum over the
gains of binomial tails.
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
    smallest,
    tango_z,
)
from harness.stats.ratio import ratio_z

POWER = 0.80
"""How often a drop must be found to count as detectable."""

DROP_STEP = 0.0005
"""The precision of the minimum detectable drop."""

FLIP_RATE = 0.02
"""The share of an unchanged model's answers that is assumed to flip by chance, half of it each way."""

TUNING_FLIPS = 0.05
"""The share of answers that is assumed to flip where fine-tuning did no harm: small, harmless fine-tunes flip 5 to 12 %."""

FLIP_RATES = (FLIP_RATE, TUNING_FLIPS, 0.10)
"""The flip rates whose false alarms are shown side by side."""


class Rule(Protocol):
    """When a comparison of n probes fails. Hashable, so that results are cached."""

    def fails(self, lost: Counts, gained: Counts, n: int) -> NDArray[np.bool_]:
        """Whether it fails, for each pair of counts; both arrays have one shape."""
        ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class Significant:
    """Losses outweigh gains by McNemar's one-sided mid-p: there is a drop at all, whatever the margin."""

    level: float = 0.05

    def fails(self, lost: Counts, gained: Counts, n: int) -> NDArray[np.bool_]:
        return mid_p_values(lost, gained) <= self.level


@dataclass(frozen=True)
class OverMargin:
    """An interval compared with a margin (a fraction).

    `inconclusive` decides an interval that straddles the margin: "observed" fails when the observed drop is over the
    margin, "fail" fails and "pass" passes. With too few probes for any answers to be retained, "observed" passes.
    `quantile` is that of the interval, in place of the normal one.
    """

    margin: float
    inconclusive: Literal["observed", "fail", "pass"] = "observed"
    quantile: float | None = None

    def fails(self, lost: Counts, gained: Counts, n: int) -> NDArray[np.bool_]:
        margin = self.margin + ROUNDING
        if margin >= 1:
            return np.zeros(lost.shape, dtype=np.bool_)
        needed = least_to_retain(self.margin, self.quantile)
        if self.inconclusive == "observed" and (needed is None or n >= needed):
            # An interval above the margin has a drop above it, one below it a drop below it: the drop decides.
            return (lost - gained) / n > margin
        # The interval holds every d0 with |z(d0)| <= quantile, so z at the margin says on which side it lies.
        z = tango_z(lost, gained, n, margin)
        quantile = normal_quantile(CONFIDENCE) if self.quantile is None else self.quantile
        return z > (-quantile if self.inconclusive == "fail" else quantile)


@dataclass(frozen=True)
class Confirmed:
    """An observed drop over a margin (a fraction) that is significant: McNemar's one-sided mid-p is at most `level`."""

    margin: float
    level: float = 0.05

    def fails(self, lost: Counts, gained: Counts, n: int) -> NDArray[np.bool_]:
        over = (lost - gained) / n > self.margin + ROUNDING
        return over & (mid_p_values(lost, gained) <= self.level)


@dataclass(frozen=True)
class NotRetained:
    """One of both intervals, of the drop and of the share lost, is not within its margin (a fraction).

    Attributes:
        known: how many probes the baseline is right on.
    """

    max_drop: float
    max_loss: float
    known: int
    quantile: float | None = None

    def fails(self, lost: Counts, gained: Counts, n: int) -> NDArray[np.bool_]:
        over = OverMargin(self.max_drop, "fail", self.quantile).fails(lost, gained, n)
        if self.max_loss >= 1:
            return over
        quantile = normal_quantile(CONFIDENCE) if self.quantile is None else self.quantile
        kept, gained_ = self.known - lost, np.minimum(gained, n - self.known)
        z = ratio_z(np.maximum(kept, 0), np.minimum(lost, self.known), gained_, n, 1 - self.max_loss)
        found: NDArray[np.bool_] = over | (kept < 0) | (z < quantile - ROUNDING)
        return found


SIGNIFICANT = Significant()


@lru_cache(maxsize=4096)
def least_failing_losses(n: int, rule: Rule = SIGNIFICANT) -> Counts:
    """For each number of gains 0..n, the fewest losses at which the rule fails; n + 1 where none is enough.

    Shape (n + 1,), read-only.
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
        NoEvidenceError: for n = 0, or rates that are not probabilities.
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
    # P(fails) = sum over gains g of Binomial(n, g) P(lost >= least[g] | g gained), all of shape (gains that can fail,).
    lost_of_rest = min(lost_rate / (1 - gain_rate), 1.0) if gain_rate < 1 else 0.0
    enough = bdtrc(least[gained] - 1, rest, lost_of_rest)
    return min(float((np.exp(log_gained) * enough).sum()), 1.0)


@lru_cache(maxsize=4096)
def minimum_detectable_drop(n: int, gain_rate: float, rule: Rule = SIGNIFICANT) -> float | None:
    """The smallest true drop at which the rule fails with power POWER, to 0.0005; None if there is none.

    0.0 if the rule fails as often on an unchanged model.
    """
    low, high = 0.0, 1.0 - 2 * gain_rate
    if power(n, high, gain_rate, rule) < POWER:
        return None
    if power(n, low, gain_rate, rule) >= POWER:
        return low
    while high - low > DROP_STEP:
        middle = (low + high) / 2
        detected = power(n, middle, gain_rate, rule) >= POWER
        low, high = (low, middle) if detected else (middle, high)
    return high


def probes_for(drop: float, gain_rate: float, rule: Rule = SIGNIFICANT, most: int = 20_000) -> int | None:
    """How many probes fail the rule with power POWER when the true drop is `drop`; None if not even `most` do.

    Counts are whole numbers, so power rises in a sawtooth: a few probes fewer may do as well, and a few more may fall
    just short.
    """
    return smallest(lambda n: power(n, drop, gain_rate, rule) >= POWER, 1, most)


def probability_retained(n: int, margin: float, gain_rate: float, quantile: float | None = None) -> float:
    """How often an unchanged model's whole interval lies at or below the margin.

    Args:
        quantile: of the interval, in place of the normal one.
    """
    return 1.0 - power(n, 0.0, gain_rate, OverMargin(margin, "fail", quantile))


@lru_cache(maxsize=4096)
def noise_drop(n: int, flip_rate: float, level: float = 0.05) -> float:
    """The drop, a fraction, that flips alone exceed with a chance of at most `level`: the smallest such of n probes.

    Raises:
        NoEvidenceError: as for `power`.
    """

    def rare(nets: int) -> bool:
        chance = power(n, 0.0, flip_rate / 2, Confirmed((nets - 1) / n, level=1.0))
        return chance <= level + ROUNDING

    nets = smallest(rare, 1, 2 * n + 2)
    assert nets is not None, "no drop exceeds 1"
    return (nets - 1) / n


def minimum_margin(
    n: int, gain_rate: float, floor: float = 0.0, quantile: float | None = None
) -> float | None:
    """The smallest margin, in whole points, that holds an unchanged model's whole interval with probability POWER.

    Args:
        floor: the smallest margin to consider, such as a drop that noise reaches.
        quantile: of the interval, in place of the normal one.

    Returns:
        A fraction; None when no margin under 1 will do.
    """
    first = max(1, int(np.ceil(100 * floor - 1e-6)))
    margins = (points / 100 for points in range(first, 100))
    return next(
        (margin for margin in margins if probability_retained(n, margin, gain_rate, quantile) >= POWER), None
    )
