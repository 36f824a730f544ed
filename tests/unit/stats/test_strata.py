"""The stratified interval against Tango's, against bisection in its own words, and by simulation."""

from __future__ import annotations

import json
from itertools import pairwise
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import NoEvidenceError
from harness.stats.paired import tango_interval
from harness.stats.strata import stratified_interval, stratified_z

ORACLES = json.loads((Path(__file__).parent / "oracles.json").read_text(encoding="utf-8"))
NORMAL_95 = 1.6448536269514722


def drop_of(lost: list[int], gained: list[int], n: list[int]) -> float:
    return (sum(lost) - sum(gained)) / sum(n)


@st.composite
def outcomes(draw: st.DrawFn, most: int = 200) -> tuple[list[int], list[int], list[int]]:
    """lost, gained, n of one to five strata"""
    sizes = draw(st.lists(st.integers(1, most), min_size=1, max_size=5))
    lost = [draw(st.integers(0, n)) for n in sizes]
    return lost, [draw(st.integers(0, n - b)) for b, n in zip(lost, sizes, strict=True)], sizes


@pytest.mark.parametrize("oracle", ORACLES["stratified_90_percent"], ids=lambda oracle: oracle["source"])
def test_the_interval_as_given_elsewhere(oracle):
    interval = stratified_interval(*zip(*oracle["strata_lost_gained_n"], strict=True))
    assert interval == pytest.approx(oracle["interval"], abs=1e-8)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 400), st.data(), st.sampled_from([0.8, 0.9, 0.99]))
def test_one_stratum_is_tango(n, data, confidence):
    lost = data.draw(st.integers(0, n))
    gained = data.draw(st.integers(0, n - lost))
    expected = tango_interval(lost, gained, n, confidence)
    assert stratified_interval(lost, gained, n, confidence) == pytest.approx(expected, abs=1e-9)


def restricted_gain_by_search(lost: int, gained: int, n: int, d0: float) -> float:
    """The q at which lost log(q + d0) + gained log q + rest log(1 - 2 q - d0) is largest, by thirds."""

    def likelihood(q: float) -> float:
        terms = ((lost, q + d0), (gained, q), (n - lost - gained, 1 - 2 * q - d0))
        return sum(count * np.log(max(p, 1e-300)) for count, p in terms if count)

    low, high = max(0.0, -d0), (1 - d0) / 2
    for _ in range(200):
        first, second = low + (high - low) / 3, high - (high - low) / 3
        low, high = (first, high) if likelihood(first) < likelihood(second) else (low, second)
    return (low + high) / 2


@pytest.mark.parametrize("d0", [-0.2, -0.01, 0.03, 0.1, 0.4])
@pytest.mark.parametrize(
    "strata", [[(9, 0, 46)], [(3, 1, 30), (0, 2, 50)], [(0, 0, 5), (12, 4, 184), (1, 1, 9)]]
)
def test_the_score_is_that_of_the_restricted_likelihood(strata, d0):
    net = sum(b - c - n * d0 for b, c, n in strata)
    variance = sum(n * (2 * restricted_gain_by_search(b, c, n, d0) + d0 * (1 - d0)) for b, c, n in strata)
    assert float(stratified_z(*zip(*strata, strict=True), d0)) == pytest.approx(
        net / sqrt(variance), rel=1e-5
    )


@settings(max_examples=100, deadline=None)
@given(outcomes())
def test_the_interval_holds_the_drop_has_width_and_stays_within_bounds(outcome):
    low, high = stratified_interval(*outcome)
    assert -1 <= low <= drop_of(*outcome) <= high <= 1
    assert high - low > 1e-6


@settings(max_examples=100, deadline=None)
@given(outcomes())
def test_losses_and_gains_mirror_each_other(outcome):
    lost, gained, n = outcome
    low, high = stratified_interval(lost, gained, n)
    assert stratified_interval(gained, lost, n) == pytest.approx((-high, -low), abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(outcomes())
def test_the_score_falls_as_the_drop_asked_for_rises(outcome):
    scores = [float(stratified_z(*outcome, d0)) for d0 in np.linspace(-0.95, 0.95, 39)]
    assert all(after <= before + 1e-9 for before, after in pairwise(scores))


@settings(max_examples=80, deadline=None)
@given(outcomes(), st.data())
def test_one_more_loss_raises_both_ends(outcome, data):
    lost, gained, n = outcome
    room = [i for i in range(len(n)) if lost[i] + gained[i] < n[i]]
    if room:
        index = data.draw(st.sampled_from(room))
        more = [b + (i == index) for i, b in enumerate(lost)]
        before, after = stratified_interval(lost, gained, n), stratified_interval(more, gained, n)
        assert after[0] >= before[0] - 1e-9
        assert after[1] >= before[1] - 1e-9


@settings(max_examples=80, deadline=None)
@given(outcomes(), st.sampled_from([1.0, 1.5, 3.0]), st.floats(1.2, 3.0))
def test_the_ends_are_where_the_score_is_the_quantile(outcome, effect, quantile):
    low, high = stratified_interval(*outcome, design_effects=effect, quantile=quantile)
    drop = drop_of(*outcome)
    if drop - low > 1e-9 and low > -1 + 1e-9:
        assert float(stratified_z(*outcome, low, effect)) == pytest.approx(quantile, abs=1e-4)
    if high - drop > 1e-9 and high < 1 - 1e-9:
        assert float(stratified_z(*outcome, high, effect)) == pytest.approx(-quantile, abs=1e-4)


def test_a_design_effect_is_that_many_probes_fewer():
    assert stratified_interval(10, 4, 60, design_effects=2.0) == pytest.approx(tango_interval(5, 2, 30))


def test_many_outcomes_at_once():
    lost, gained = np.array([[3, 0], [9, 1], [0, 0]]), np.array([[1, 2], [0, 0], [0, 0]])
    together = stratified_z(lost, gained, [30, 50], 0.03)
    alone = [float(stratified_z(b, c, [30, 50], 0.03)) for b, c in zip(lost, gained, strict=True)]
    assert together.tolist() == pytest.approx(alone)


STRATA = {
    "14 suites": ([150] * 14, np.linspace(0.01, 0.15, 14), [0.025] * 14),
    "unequal": ([30, 100, 250], [0.3, 0.05, 0.02], [0.02, 0.05, 0.02]),
    "rarely": ([46] * 4, [0.01] * 4, [0.01] * 4),
}


@pytest.mark.parametrize("name", STRATA)
def test_ninety_percent_of_intervals_hold_the_truth(name):
    sizes, lost_rate, gain_rate = (np.asarray(values, dtype=float) for values in STRATA[name])
    rates = np.stack([lost_rate, gain_rate, 1 - lost_rate - gain_rate], axis=-1)
    drawn = np.random.default_rng(7).multinomial(sizes.astype(int), rates, size=(10_000, len(sizes)))
    truth = float((sizes * (lost_rate - gain_rate)).sum() / sizes.sum())
    z = stratified_z(drawn[..., 0], drawn[..., 1], sizes, truth)
    assert (np.abs(z) <= NORMAL_95).mean() >= 0.89
    assert (z > NORMAL_95).mean() <= 0.06
    assert (z < -NORMAL_95).mean() <= 0.06


@pytest.mark.parametrize(
    ("lost", "gained", "n", "text"),
    [
        ([], [], [], "no strata: nothing follows from an empty comparison"),
        ([0, 0], [0, 0], [10, 0], "no probes: nothing follows from an empty comparison"),
        ([3], [8], [10], "3.0 lost and 8.0 gained cannot be counts out of 10.0 probes"),
        ([float("nan")], [0], [10], "nan lost"),
        ([0], [0], [float("inf")], "no probes"),
        ([1, 2], [0], [10], "strata need one count each"),
    ],
)
def test_no_evidence_is_an_error(lost, gained, n, text):
    with pytest.raises(NoEvidenceError, match=text):
        stratified_interval(lost, gained, n)


@pytest.mark.parametrize("effect", [0.5, float("nan"), float("inf")])
def test_no_design_makes_probes_say_more(effect):
    with pytest.raises(NoEvidenceError, match="design effects must be finite and at least 1"):
        stratified_interval(1, 0, 10, design_effects=effect)
