"""The interval for the share lost against values made elsewhere, its restricted likelihood, and by simulation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from harness.errors import NoEvidenceError
from harness.stats.paired import least_to_retain
from harness.stats.ratio import ratio_interval, ratio_z, share_lost_interval

ORACLES = json.loads((Path(__file__).parent / "oracles.json").read_text(encoding="utf-8"))
NORMAL_95 = 1.6448536269514722


@st.composite
def outcomes(draw: st.DrawFn, most: int = 200) -> tuple[int, int, int, int]:
    """kept, lost, gained, n, of a baseline that knew something"""
    n = draw(st.integers(1, most))
    kept = draw(st.integers(0, n))
    lost = draw(st.integers(0, n - kept))
    assume(kept + lost > 0)
    return kept, lost, draw(st.integers(0, n - kept - lost)), n


@pytest.mark.parametrize("oracle", ORACLES["share_lost_90_percent"], ids=lambda oracle: oracle["source"])
def test_the_interval_as_given_elsewhere(oracle):
    counts = [oracle[name] for name in ("kept", "lost", "gained")]
    interval = share_lost_interval(*counts, sum(counts) + oracle["missed"])
    assert interval == pytest.approx(oracle["interval"], abs=0.5e-4)


def loss_by_search(kept: int, lost: int, gained: int, n: int, theta: float) -> float:
    """The probability of a loss at which the likelihood is largest, given the share missed and theta."""
    seen = (kept + lost + gained) / n

    def unlikely(p: float) -> float:
        knew = (seen - p) / theta
        rates = ((kept, knew - p), (lost, p), (gained, seen - knew))
        return -sum(count * np.log(max(rate, 1e-300)) for count, rate in rates if count)

    # kept and gained are no probabilities beyond these
    low, high = max(0.0, seen * (1 - theta)), seen / (1 + theta)
    return float(minimize_scalar(unlikely, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x)


@pytest.mark.parametrize("theta", [0.3, 0.6, 0.85, 1.0, 1.3])
@pytest.mark.parametrize("counts", [(3, 9, 2, 46), (100, 12, 4, 184), (30, 1, 10, 60)])
def test_the_score_is_that_of_the_restricted_likelihood(counts, theta):
    kept, lost, gained, n = counts
    p_lost = loss_by_search(*counts, theta)
    seen = (kept + lost + gained) / n
    knew = (seen - p_lost) / theta
    p_kept, p_gained = knew - p_lost, seen - knew
    # The variance of (1 - theta) kept + gained - theta lost, whose mean is 0.
    variance = n * ((1 - theta) ** 2 * p_kept + p_gained + theta**2 * p_lost)
    expected = (kept + gained - theta * (kept + lost)) / np.sqrt(variance)
    assert float(ratio_z(*counts, theta)) == pytest.approx(expected, rel=1e-4, abs=1e-6)


@settings(max_examples=200, deadline=None)
@given(outcomes())
def test_the_interval_holds_the_share_and_has_width(outcome):
    kept, lost, gained, _ = outcome
    low, high = share_lost_interval(*outcome)
    share = (lost - gained) / (kept + lost)
    assert low <= share + 1e-9
    assert share <= high + 1e-9
    assert high <= 1
    assert high - low > 1e-6


@settings(max_examples=200, deadline=None)
@given(outcomes())
def test_the_models_changed_over_invert_the_ratio(outcome):
    kept, lost, gained, n = outcome
    assume(kept + gained > 0)
    low, high = ratio_interval(kept, lost, gained, n)
    other_low, other_high = ratio_interval(kept, gained, lost, n)
    assert other_high == pytest.approx(1 / low if low > 0 else np.inf, rel=1e-5)
    assert other_low == pytest.approx(1 / high, rel=1e-5)


@settings(max_examples=200, deadline=None)
@given(outcomes(), st.integers(1, 500))
def test_missed_probes_say_nothing_of_the_share(outcome, more):
    kept, lost, gained, n = outcome
    expected = share_lost_interval(kept, lost, gained, n)
    assert share_lost_interval(kept, lost, gained, n + more) == pytest.approx(expected, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("knew", [1, 12, 100, 2000])
def test_nothing_lost_has_a_closed_form(knew):
    squared = NORMAL_95**2
    expected = (-squared / knew, squared / (knew + squared))
    assert share_lost_interval(knew, 0, 0, 3 * knew) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("margin", [0.15, 0.35])
def test_the_fewest_that_can_be_shown_to_be_kept(margin):
    least = least_to_retain(margin)
    assert share_lost_interval(least, 0, 0, least)[1] <= margin
    assert share_lost_interval(least - 1, 0, 0, least)[1] > margin


def test_all_lost_is_all_lost_and_some_of_it_for_sure():
    low, high = share_lost_interval(0, 12, 0, 46)
    assert high == 1
    assert 0.7 < low < 0.8


def test_gains_alone_are_a_share_below_nothing():
    low, high = share_lost_interval(1, 0, 40, 46)
    assert low < -40 < high < 0  # -40 is the share itself


@pytest.mark.parametrize(
    ("known", "lost_rate", "gain_rate", "n"),
    [(0.26, 0.05, 0.02, 46), (0.6, 0.1, 0.03, 184), (0.6, 0.03, 0.03, 336), (0.5, 0.25, 0.05, 46)],
)
def test_ninety_percent_of_intervals_hold_the_truth(known, lost_rate, gain_rate, n):
    rates = [known - lost_rate, lost_rate, gain_rate, 1 - known - gain_rate]
    kept, lost, gained, _ = np.random.default_rng(3).multinomial(n, rates, size=20_000).T
    z = ratio_z(kept, lost, gained, n, (known - lost_rate + gain_rate) / known)
    assert (np.abs(z) <= NORMAL_95).mean() >= 0.89


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ((0, 0, 3, 10), "^the baseline knew nothing: there is no share of it to lose$"),
        ((0, 0, 0, 0), "no probes"),
        ((8, 2, 1, 10), "^8 kept, 2 lost and 1 gained cannot be counts out of 10 probes$"),
        ((-1, 2, 1, 10), "-1 kept"),
        ((float("nan"), 2, 1, 10), "nan kept"),
    ],
)
def test_no_evidence_is_an_error(counts, text):
    for function in (share_lost_interval, ratio_interval):
        with pytest.raises(NoEvidenceError, match=text):
            function(*counts)


@pytest.mark.parametrize(
    ("kept", "lost", "gained", "n", "effect"), [(49, 7, 0, 56, 1.07), (0, 46, 3, 49, 1.12)]
)
def test_counts_over_a_design_effect_need_not_sum_exactly(kept, lost, gained, n, effect):
    low, high = share_lost_interval(*(count / effect for count in (kept, lost, gained, n)))
    assert low <= (lost - gained) / (kept + lost) <= high


def test_counts_that_differ_by_more_than_rounding_are_refused():
    with pytest.raises(NoEvidenceError, match="cannot be counts out of"):
        share_lost_interval(10, 5, 1, 15.9)
