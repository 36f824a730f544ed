"""Weighted sums of estimates and their intervals."""

from __future__ import annotations

import math

import pytest

from harness.errors import NoEvidenceError
from harness.stats.linear import Estimate, combined
from harness.stats.rates import wilson_interval


def rate(count: int, n: int, weight: float) -> Estimate:
    return Estimate(weight, count / n, wilson_interval(count, n))


def test_one_estimate_of_weight_one_is_itself():
    found = combined([rate(3, 12, 1.0)])
    assert (found.value, found.interval) == (0.25, pytest.approx(wilson_interval(3, 12)))


def test_two_rates_worked_by_hand():
    # Wilson's 90 % interval of 8 / 20 is 0.2424 to 0.5814, of 1 / 10 0.0226 to 0.3477 (z = 1.6449)
    found = combined([rate(8, 20, 0.75), rate(1, 10, 0.25)])
    assert found.value == pytest.approx(0.325)
    low, high = found.interval
    assert low == pytest.approx(0.325 - math.hypot(0.75 * (0.4 - 0.2424), 0.25 * (0.1 - 0.0226)), abs=1e-3)
    assert high == pytest.approx(0.325 + math.hypot(0.75 * (0.5814 - 0.4), 0.25 * (0.3477 - 0.1)), abs=1e-3)


def test_a_negative_weight_turns_the_interval_around():
    assert combined([rate(3, 12, -1.0)]).interval == pytest.approx(
        tuple(-end for end in reversed(wilson_interval(3, 12)))
    )


def test_no_spread_is_no_certainty():
    low, high = combined([rate(0, 10, 0.5), rate(10, 10, 0.5)]).interval
    assert low < 0.5 < high


def test_nothing_follows_from_nothing():
    with pytest.raises(NoEvidenceError):
        combined([])
