"""Design effects against another library's, and intervals of clustered probes by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import NoEvidenceError
from harness.stats.clusters import (
    clustered_interval,
    design_effect,
    design_effects,
    effective_mid_p,
    student_quantile,
)
from harness.stats.paired import mcnemar_mid_p, tango_interval, tango_z
from harness.stats.strata import stratified_interval

NORMAL_95 = 1.6448536269514722


def test_the_design_effect_by_cluster_robust_regression():
    # statsmodels 0.15.0: OLS of lost - gained on a constant, cov_type="cluster" with its correction, over (f - d^2) / n
    lost, gained, size = [2, 0, 1, 4, 0, 1], [0, 1, 0, 0, 1, 1], [3, 5, 2, 6, 4, 4]
    assert design_effect(lost, gained, size) == pytest.approx(2.171129707112973, rel=1e-9)


def test_clusters_lost_whole_cost_their_size():
    lost = [10, 0] * 20
    assert design_effect(lost, [0] * 40, [10] * 40) == pytest.approx(10 * 40 / 39)


@pytest.mark.parametrize("lost", [[0, 0, 0], [4, 4, 4]])
def test_probes_that_all_fare_alike_say_nothing_of_clusters(lost):
    assert design_effect(lost, [0, 0, 0], [4, 4, 4]) == 1


@given(st.lists(st.sampled_from([(1, 0), (0, 1), (0, 0)]), min_size=1, max_size=40))
def test_clusters_of_one_probe_are_independent_probes(probes):
    lost, gained = zip(*probes, strict=True)
    assert design_effect(lost, gained, [1] * len(probes)) == 1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=30), st.randoms())
def test_the_design_effect_is_at_least_one_and_knows_no_order_or_side(clusters, random):
    lost, gained = zip(*clusters, strict=True)
    effect = design_effect(lost, gained, [12] * len(clusters))
    assert effect >= 1
    assert design_effect(gained, lost, [12] * len(clusters)) == pytest.approx(effect)
    random.shuffle(clusters)
    lost, gained = zip(*clusters, strict=True)
    assert design_effect(lost, gained, [12] * len(clusters)) == pytest.approx(effect)


def test_the_interval_is_that_of_the_effective_counts():
    lost, gained, size = [5, 0, 1, 3, 0, 0], [0, 1, 0, 0, 1, 0], [10, 9, 10, 8, 10, 10]
    effect, quantile = design_effect(lost, gained, size), student_quantile(5)
    low, high = clustered_interval(lost, gained, size)
    counts = (9 / effect, 2 / effect, 57 / effect)
    assert tango_z(*counts, low) == pytest.approx(quantile, abs=1e-6)
    assert tango_z(*counts, high) == pytest.approx(-quantile, abs=1e-6)
    plain_low, plain_high = tango_interval(9, 2, 57)
    assert low < plain_low < plain_high < high


def test_strata_of_clusters_and_of_independent_probes():
    effects = [3.0, 1.0]
    low, high = stratified_interval(
        [9, 2], [1, 2], [60, 40], design_effects=effects, quantile=student_quantile(11 + 39)
    )
    plain_low, plain_high = stratified_interval([9, 2], [1, 2], [60, 40])
    assert low < plain_low < plain_high < high


@pytest.mark.parametrize(
    # Student's tables, upper 5 %
    ("degrees", "quantile"), [(1, 6.314), (4, 2.132), (11, 1.796), (30, 1.697), (1e9, 1.645)]
)  # fmt: skip
def test_the_quantile_is_students(degrees, quantile):
    assert student_quantile(degrees) == pytest.approx(quantile, abs=0.0005)


def drawn(clusters, size, rate, gain, together, trials, seed=5):
    """lost, gained of shape (trials, clusters): each cluster has a loss rate of its own, of mean `rate` (beta)."""
    random, scale = np.random.default_rng(seed), (1 - together) / together
    rates = random.beta(rate * scale, (1 - rate) * scale, size=(trials, clusters))
    lost = random.binomial(size, rates)
    return lost, random.binomial(size - lost, gain / (1 - rate))


@pytest.mark.parametrize(
    ("clusters", "size", "rate", "together"), [(45, 4, 0.1, 0.2), (30, 6, 0.1, 0.2), (12, 15, 0.3, 0.15)]
)
def test_ninety_percent_of_intervals_hold_the_truth(clusters, size, rate, together):
    gain = 0.025
    lost, gained = drawn(clusters, size, rate, gain, together, 6000)
    effects = design_effects(lost, gained, np.full(clusters, size))
    b, c, n = lost.sum(1), gained.sum(1), clusters * size
    quantile = student_quantile(clusters - 1)
    holds = [
        abs(tango_z(b[i] / effect, c[i] / effect, n / effect, rate - gain)) <= quantile
        for i, effect in enumerate(effects)
    ]
    assert np.mean(holds) >= 0.89
    naive = np.mean(np.abs(tango_z(b, c, n, rate - gain)) <= NORMAL_95)
    assert naive < 0.85, "the probes of this test do go together"


@pytest.mark.parametrize(("clusters", "size"), [(12, 15), (45, 4)])
def test_no_more_false_alarms_than_the_level_among_clustered_probes(clusters, size):
    random, scale = np.random.default_rng(2), 0.8 / 0.2
    rates = random.beta(0.05 * scale, 0.95 * scale, size=(2, 8000, clusters))
    lost = random.binomial(size, rates[0])
    gained = random.binomial(size - lost, rates[1])
    effects = design_effects(lost, gained, np.full(clusters, size))
    p_values = effective_mid_p(lost.sum(1), gained.sum(1), effects)
    assert np.mean(p_values <= 0.05) <= 0.06
    assert np.mean(effective_mid_p(lost.sum(1), gained.sum(1)) <= 0.05) > 0.08


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_effective_p_value_of_independent_probes_is_mcnemars(lost, gained):
    assert float(effective_mid_p(lost, gained)) == pytest.approx(mcnemar_mid_p(lost, gained), abs=1e-12)


@given(st.integers(1, 60), st.integers(0, 60), st.floats(1, 10), st.floats(1, 3))
def test_a_larger_design_effect_is_less_sure(lost, gained, effect, more):
    sure, less = effective_mid_p(lost, gained, [effect, effect * more])
    assert abs(less - 0.5) <= abs(sure - 0.5) + 1e-9


@pytest.mark.parametrize(
    ("lost", "gained", "size", "text"),
    [
        ([], [], [], "clusters need one count each"),
        ([1], [0], [10], "^one cluster: nothing says how much probes of another would differ$"),
        ([1, 2], [0], [10, 10], "clusters need one count each"),
        ([1, 11], [0, 0], [10, 10], "11.0 lost and 0.0 gained cannot be counts out of 10.0 probes"),
        ([1, float("nan")], [0, 0], [10, 10], "nan lost"),
    ],
)
def test_no_evidence_is_an_error(lost, gained, size, text):
    for function in (design_effect, clustered_interval):
        with pytest.raises(NoEvidenceError, match=text):
            function(lost, gained, size)


@pytest.mark.parametrize(("degrees", "confidence"), [(0, 0.9), (float("nan"), 0.9), (5, 1.0), (5, 0.0)])
def test_no_degrees_no_quantile(degrees, confidence):
    with pytest.raises(NoEvidenceError, match="no quantile"):
        student_quantile(degrees, confidence)
