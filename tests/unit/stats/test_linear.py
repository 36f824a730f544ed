"""Weighted sums of rates and their intervals."""

from __future__ import annotations

import math

import pytest

from harness.errors import NoEvidenceError
from harness.stats.linear import Rate, weighted_interval, weighted_sum
from harness.stats.rates import wilson_interval


def test_one_rate_of_weight_one_is_wilson():
    assert weighted_sum([Rate(3, 12, 1.0)]) == 0.25
    assert weighted_interval([Rate(3, 12, 1.0)]) == pytest.approx(wilson_interval(3, 12))


def test_two_rates_worked_by_hand():
    # Wilson's 90 % interval of 8 / 20 is 0.2424 to 0.5814, of 1 / 10 0.0226 to 0.3477 (z = 1.6449)
    low, high = weighted_interval([Rate(8, 20, 0.75), Rate(1, 10, 0.25)])
    assert weighted_sum([Rate(8, 20, 0.75), Rate(1, 10, 0.25)]) == pytest.approx(0.325)
    assert low == pytest.approx(0.325 - math.hypot(0.75 * (0.4 - 0.2424), 0.25 * (0.1 - 0.0226)), abs=1e-3)
    assert high == pytest.approx(0.325 + math.hypot(0.75 * (0.5814 - 0.4), 0.25 * (0.3477 - 0.1)), abs=1e-3)


def test_a_negative_weight_turns_the_interval_of_its_rate_around():
    assert weighted_interval([Rate(3, 12, -1.0)]) == pytest.approx(
        tuple(-end for end in reversed(wilson_interval(3, 12)))
    )


def test_no_spread_is_no_certainty():
    low, high = weighted_interval([Rate(0, 10, 0.5), Rate(10, 10, 0.5)])
    assert low < 0.5 < high


@pytest.mark.parametrize("rates", [[], [Rate(0, 0, 1.0)]])
def test_nothing_follows_from_nothing(rates):
    with pytest.raises(NoEvidenceError):
        weighted_sum(rates)
