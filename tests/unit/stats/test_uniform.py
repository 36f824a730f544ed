"""Whether places and extremes are taken more often than chance."""

from __future__ import annotations

import random

import pytest
from scipy.stats import binomtest, chisquare

from harness.stats.uniform import extreme_p_value, places_p_value


def test_places_are_pearsons_chi_square():
    drawn = [(place, 3) for place, times in enumerate((10, 20, 30)) for _ in range(times)]
    assert places_p_value(drawn) == pytest.approx(chisquare([10, 20, 30]).pvalue)


def test_tables_of_different_size_are_added():
    fair = [(place, 4) for place in range(4) for _ in range(10)]
    skewed = [(2, 3)] * 20
    assert places_p_value(skewed) < places_p_value(fair + skewed) < 0.01


def test_few_draws_say_nothing():
    assert places_p_value([(2, 3)] * 14) == 1.0
    assert places_p_value([]) == 1.0
    assert places_p_value([(0, 1)] * 100) == 1.0


def test_extremes_are_about_binomial():
    drawn = [(number < 50, 1, 4) for number in range(120)]
    assert extreme_p_value(drawn) == pytest.approx(binomtest(50, 120, 0.25).pvalue, rel=0.9)
    assert extreme_p_value(drawn) < 0.001


def test_ties_are_shared():
    assert extreme_p_value([(True, 4, 4)] * 100) == 1.0  # every choice is the longest
    assert extreme_p_value([]) == 1.0
    assert extreme_p_value([(True, 2, 4)] * 100) < 0.001


def test_it_holds_its_level():
    chance = random.Random(1)
    false = 0
    for _ in range(500):
        lengths = [[chance.randint(3, 8) for _ in range(4)] for _ in range(60)]
        drawn = [(row[0] == max(row), row.count(max(row)), 4) for row in lengths]
        false += extreme_p_value(drawn) < 0.05
    assert false / 500 == pytest.approx(0.05, abs=0.03)
