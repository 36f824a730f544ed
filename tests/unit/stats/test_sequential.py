"""Boundaries against published ones and the multivariate normal, courses by brute force and simulation, and the bet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from harness.errors import NoEvidenceError
from harness.stats.paired import tango_interval, tango_z
from harness.stats.power import OverMargin, power
from harness.stats.sequential import (
    betting_capital,
    betting_interval,
    boundaries,
    course,
    look_sizes,
    repeated_interval,
    spent,
)

PUBLISHED = {
    # Spending of O'Brien and Fleming's type in equal steps, 2.5 % on a side, as the ldbounds and gsDesign packages of R and
    # textbooks give it (Jennison and Turnbull 2000, ch. 7)
    2: [2.963, 1.969],
    3: [3.710, 2.511, 1.993],
    4: [4.333, 2.963, 2.359, 2.014],
    5: [4.877, 3.357, 2.680, 2.290, 2.031],
}


@pytest.mark.parametrize("looks", PUBLISHED)
def test_boundaries_as_published(looks):
    fractions = tuple(k / looks for k in range(1, looks + 1))
    assert boundaries(fractions, 0.025) == pytest.approx(PUBLISHED[looks], abs=0.0006)


def test_four_looks_at_five_percent_as_in_another_library():
    # The README of SeqBounds.jl, bounds([0.25, 0.5, 0.75, 1.0], 0.05; h = 0.05), on a grid of its own
    expected = [3.74955, 2.53993, 2.01604, 1.72014]
    assert boundaries((0.25, 0.5, 0.75, 1.0), 0.05) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("fractions", [(0.25, 0.5, 0.75, 1.0), (0.3, 0.31, 1.0), (0.2, 0.9), (1.0,)])
@pytest.mark.parametrize("level", [0.025, 0.05])
def test_by_each_look_as_much_is_spent_as_may_be(fractions, level):
    t = np.array(fractions)
    correlation = np.minimum.outer(t, t) / np.sqrt(np.outer(t, t))
    bounds = np.array(boundaries(fractions, level))
    for k in range(1, len(t) + 1):
        normal = multivariate_normal(np.zeros(k), correlation[:k, :k], allow_singular=True)
        assert 1 - normal.cdf(bounds[:k]) == pytest.approx(spent(t[k - 1], level), abs=1e-4)


def test_little_is_spent_early_and_all_at_the_end():
    assert spent(1.0) == pytest.approx(0.05)
    assert spent(0.25) == pytest.approx(8.86e-5, rel=1e-3)  # 2 - 2 Phi(1.95996 / 0.5)
    assert boundaries((0.005, 1.0))[0] == np.inf


@pytest.mark.parametrize(
    "fractions", [(), (0.5, 0.5), (0.5, 0.4), (0.0, 1.0), (0.5, 1.1), (0.5, float("nan")), (0.5, 0.5001)]
)
def test_looks_that_do_not_rise_are_an_error(fractions):
    with pytest.raises(NoEvidenceError, match="looks must come at shares that rise by 0.001 or more"):
        boundaries(fractions)


@pytest.mark.parametrize(
    ("n", "sizes"), [(336, (84, 168, 252, 336)), (10, (3, 5, 8, 10)), (2, (1, 2)), (1, (1,))]
)
def test_looks_are_as_even_as_can_be(n, sizes):
    assert look_sizes(n) == sizes


def test_looks_at_nothing_are_an_error():
    with pytest.raises(NoEvidenceError, match="decide nothing"):
        look_sizes(0)


def test_a_repeated_interval_is_tangos_at_a_wider_quantile():
    assert repeated_interval(9, 2, 60, 1.6448536269514722) == pytest.approx(tango_interval(9, 2, 60))
    low, high = repeated_interval(9, 2, 60, 2.54)
    assert low < tango_interval(9, 2, 60)[0] < tango_interval(9, 2, 60)[1] < high
    assert repeated_interval(9, 2, 60, np.inf) == (-1, 1)
    with pytest.raises(NoEvidenceError, match="no probes"):
        repeated_interval(0, 0, 0, 2.0)


def test_one_look_is_the_gate_without_looks():
    found = course([80], 0.10, 0.05, 0.02)
    forgotten = power(80, 0.05, 0.02, OverMargin(0.10, "pass"))
    retained = 1 - power(80, 0.05, 0.02, OverMargin(0.10, "fail"))
    assert (found.forgotten[0], found.retained[0]) == pytest.approx((forgotten, retained), abs=1e-9)
    assert found.expected_n == pytest.approx(80)


@pytest.mark.parametrize(("drop", "expected"), [(0.0, 169), (0.20, 200)])
def test_a_clear_case_takes_about_half_of_the_probes(drop, expected):
    found = course(look_sizes(336), 0.10, drop, 0.025)
    assert found.expected_n == pytest.approx(expected, abs=0.5)
    assert sum(found.retained) + sum(found.forgotten) + found.undecided == pytest.approx(1, abs=1e-9)


def test_a_course_is_what_simulation_finds():
    looks, margin, trials = (60, 120, 180, 240), 0.10, 20_000
    bounds = boundaries(tuple(n / 240 for n in looks))
    steps = np.random.default_rng(4).multinomial(60, [0.15, 0.05, 0.80], size=(trials, 4)).cumsum(1)
    going, retained, forgotten = np.ones(trials, dtype=bool), [], []
    for k, (n, bound) in enumerate(zip(looks, bounds, strict=True)):
        z = tango_z(steps[:, k, 0], steps[:, k, 1], n, margin + 1e-9)
        retained.append(np.mean(going & (z <= -bound)))
        forgotten.append(np.mean(going & (z >= bound)))
        going &= np.abs(z) < bound
    found = course(looks, margin, 0.10, 0.05)
    assert found.retained == pytest.approx(retained, abs=0.005)
    assert found.forgotten == pytest.approx(forgotten, abs=0.005)


@pytest.mark.parametrize("n", [184, 336])
@pytest.mark.parametrize("gain_rate", [0.01, 0.025, 0.10])
def test_each_side_is_wrong_in_five_percent_at_the_margin(n, gain_rate):
    found = course(look_sizes(n), 0.10, 0.10, gain_rate)
    assert sum(found.retained) <= 0.06
    assert sum(found.forgotten) <= 0.06


@pytest.mark.parametrize(("drop", "gain_rate"), [(0.0, -0.1), (-0.2, 0.1), (0.9, 0.1), (float("nan"), 0.1)])
def test_no_rates_no_course(drop, gain_rate):
    with pytest.raises(NoEvidenceError, match="^no outcome for"):
        course([10, 20], 0.1, drop, gain_rate)


# The bet


def differences(drop: float, flips: float, shape: tuple[int, int], seed: int = 1):
    chance = np.random.default_rng(seed).random(shape)
    return np.where(chance < drop + flips / 2, 1, np.where(chance < drop + flips, -1, 0))


@pytest.mark.parametrize(("margin", "flips"), [(0.10, 0.05), (0.10, 0.0), (0.03, 0.2), (0.0, 0.05)])
def test_a_true_bet_rarely_wins_however_long_it_goes_on(margin, flips):
    capital = betting_capital(differences(margin, flips, (4000, 1000)), margin)
    assert (capital.max(axis=1) >= 20).mean() <= 0.05
    assert capital[:, -1].mean() <= 1.5  # a martingale's mean is 1


def test_a_hopeless_run_is_seen_after_some_twenty_probes():
    capital = betting_capital(differences(0.50, 0.05, (4000, 336)), 0.10)
    first = (capital >= 20).argmax(axis=1) + 1
    assert (capital[:, -1] >= 20).all()
    assert 15 <= np.median(first) <= 25


def test_a_stake_knows_nothing_of_its_own_probe():
    x = differences(0.3, 0.1, (1, 60))[0]
    other = x.copy()
    other[40:] = -other[40:]
    assert betting_capital(x, 0.1)[:40].tolist() == betting_capital(other, 0.1)[:40].tolist()
    assert betting_capital(x[:1], 0.1).tolist() == [1.0]  # nothing is staked on the first


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=200), st.floats(-0.9, 0.9))
def test_capital_is_never_lost_whole(x, margin):
    assert (betting_capital(x, margin) > 0).all()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=1, max_size=80), st.floats(-0.8, 0.8))
def test_the_interval_of_a_bet_has_the_margins_that_it_did_not_refute(x, margin):
    low, high = betting_interval(x)
    drop = float(np.mean(x))
    assert -1 <= low <= drop <= high <= 1
    assert (low > margin) == (betting_capital(x, margin).max() > 20 and drop > margin)
    assert (high < margin) == (
        betting_capital([-change for change in x], -margin).max() > 20 and drop < margin
    )


def test_the_interval_of_a_bet_holds_whenever_one_looks():
    """Ever outside, on either side, in at most 10 % of courses."""
    x = differences(0.10, 0.05, (150, 100))
    ever = [any(not low <= 0.10 <= high for low, high in (betting_interval(row[:n]) for n in (25, 50, 100)))
            for row in x]  # fmt: skip
    assert np.mean(ever) <= 0.10


@pytest.mark.parametrize(
    ("x", "margin"), [([], 0.1), ([2], 0.1), ([float("nan")], 0.1), ([1], 1.0), ([1], -1.0)]
)
def test_no_bet_is_an_error(x, margin):
    with pytest.raises(NoEvidenceError, match="^a bet needs"):
        betting_capital(x, margin)
