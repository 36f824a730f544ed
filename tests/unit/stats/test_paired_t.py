"""The mean log ratio against scipy's and statsmodels' t tests."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student
from scipy.stats import ttest_1samp, ttest_rel

from harness.errors import NoEvidenceError
from harness.stats.paired_t import detectable_mean, log_ratios, mean_interval, mean_p, probability_within

VALUES = [0.01, -0.002, 0.004, 0.013, 0.0, 0.006, -0.001, 0.009]
MANY = st.lists(st.floats(-5, 5).map(lambda x: round(x, 3)), min_size=3, max_size=60)


def test_as_in_another_library():
    # statsmodels 0.15.0: DescrStatsW(x).tconfint_mean(0.1), ttest_mean(0, "larger")
    assert mean_interval(VALUES) == pytest.approx((0.0011465926006099035, 0.008603407399390096))
    assert mean_p(VALUES) == pytest.approx(0.021191287949439225)


@settings(max_examples=100, deadline=None)
@given(MANY, st.sampled_from([0.8, 0.9, 0.99]))
def test_as_scipy_has_it(values, confidence):
    if len(set(values)) > 1:
        expected = ttest_1samp(values, 0.0, alternative="greater")
        assert mean_p(values) == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
        both = ttest_1samp(values, 0.0).confidence_interval(confidence)
        assert mean_interval(values, confidence) == pytest.approx((both.low, both.high), rel=1e-6, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(MANY)
def test_the_interval_holds_the_mean_and_mirrors(values):
    low, high = mean_interval(values)
    assert low - 1e-9 <= np.mean(values) <= high + 1e-9
    assert mean_interval([-x for x in values]) == pytest.approx((-high, -low))
    assert mean_p(values) + mean_p([-x for x in values]) == pytest.approx(1)


def test_log_ratios_are_paired():
    before, after = np.array([3.0, 1.0, 2.5]), np.array([3.1, 1.02, 2.49])
    assert mean_p(log_ratios(before, after)) == pytest.approx(
        ttest_rel(np.log(after), np.log(before), alternative="greater").pvalue
    )


def test_a_model_against_itself_rises_by_nothing():
    same = log_ratios([3.0, 1.0, 2.0], [3.0, 1.0, 2.0])
    assert mean_interval(same) == (0, 0)
    assert mean_p(same) == 0.5


def test_the_same_rise_everywhere_is_sure():
    assert mean_p([0.1, 0.1, 0.1]) == 0
    assert mean_p([-0.1, -0.1, -0.1]) == 1
    assert mean_interval([0.1, 0.1, 0.1]) == (0.1, 0.1)


def test_ninety_percent_of_intervals_hold_the_truth():
    samples = np.random.default_rng(2).normal(0.005, 0.02, size=(4000, 44))
    holds = [low <= 0.005 <= high for low, high in map(mean_interval, samples)]
    assert np.mean(holds) >= 0.89


def test_what_many_texts_see_as_in_another_library():
    # statsmodels 0.15.0, TTestPower().solve_power(nobs=n, alpha=0.05, power=p, alternative="larger")
    assert detectable_mean(132, 1.0) == pytest.approx(0.217546245597755, rel=1e-6)
    assert detectable_mean(10, 1.0, 0.9) == pytest.approx(1.0048502980993166, rel=1e-6)
    assert detectable_mean(132, 0.02) == pytest.approx(0.02 * detectable_mean(132, 1.0))


@pytest.mark.parametrize("values", [[], [0.1], [0.1, float("nan")], [0.1, math.inf], [[0.1, 0.2]]])
def test_too_little_is_an_error(values):
    for function in (mean_interval, mean_p):
        with pytest.raises(NoEvidenceError, match="^a mean needs two finite values or more"):
            function(values)


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ([], [], "as many on both sides"),
        ([1.0], [1.0, 2.0], "as many on both sides"),
        ([1.0, 0.0], [1.0, 2.0], "must be positive and finite"),
        ([1.0, 1.0], [1.0, float("nan")], "must be positive and finite"),
        ([1.0, 1.0], [1.0, math.inf], "must be positive and finite"),
    ],
)
def test_costs_without_a_ratio_are_an_error(before, after, text):
    with pytest.raises(NoEvidenceError, match=text):
        log_ratios(before, after)


@pytest.mark.parametrize(
    "arguments", [(1, 1.0), (10, -1.0), (10, math.nan), (10, 1.0, 1.0), (10, 1.0, 0.8, 0.0), (10, 1.0, 0.04)]
)
def test_no_power_is_an_error(arguments):
    with pytest.raises(NoEvidenceError, match="^no power for"):
        detectable_mean(*arguments)


@pytest.mark.parametrize("confidence", [0.0, 1.0, math.nan])
def test_no_confidence_is_an_error(confidence):
    with pytest.raises(NoEvidenceError, match="^no quantile for 7 degrees of freedom and a confidence of"):
        mean_interval(VALUES, confidence)


@pytest.mark.parametrize(("n", "most"), [(5, 0.02), (30, 0.005), (30, 0.0), (132, 0.005), (10, -0.01)])
def test_how_often_a_mean_is_within_a_limit(n, most):
    random = np.random.default_rng(4)
    values = random.normal(0.0, 0.02, size=(20_000, n))
    reach = student.ppf(0.95, n - 1) * values.std(axis=1, ddof=1) / np.sqrt(n)
    seen = (values.mean(axis=1) + reach <= most).mean()
    assert probability_within(n, most, 0.02) == pytest.approx(seen, abs=0.012)


@pytest.mark.parametrize(("n", "most", "deviation"), [(1, 0.1, 0.1), (5, float("inf"), 0.1), (5, 0.1, 0.0)])
def test_no_chance_without_evidence(n, most, deviation):
    with pytest.raises(NoEvidenceError):
        probability_within(n, most, deviation)
