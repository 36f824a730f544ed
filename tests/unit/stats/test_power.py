"""What a suite of n probes can see, against values made elsewhere and against brute force."""

from __future__ import annotations

import json
from math import comb
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import NoEvidenceError
from harness.stats.paired import mcnemar_mid_p
from harness.stats.power import least_significant_losses, power, smallest_drop

ORACLES = json.loads((Path(__file__).parent / "oracles.json").read_text(encoding="utf-8"))
LEAST = ORACLES["mid_p_one_sided_least_losses_significant_at_5_percent"]
SMALLEST = ORACLES["smallest_drop_with_80_percent_power_mid_p_one_sided_5_percent"]
DROPS = [
    (n, gain_rate, drop)
    for n in (20, 100, 500)
    for gain_rate, drop in zip(SMALLEST["gain_rate"], SMALLEST[f"n_{n}"], strict=True)
]


def test_least_significant_losses_as_published():
    least = least_significant_losses(50)
    assert [least[gained] for gained in LEAST["gained"]] == LEAST["lost"]


@pytest.mark.parametrize("n", [1, 3, 4, 30])
def test_least_significant_losses_are_the_least(n):
    least = least_significant_losses(n)
    assert len(least) == n + 1
    for gained, lost in enumerate(least.tolist()):
        if lost == n + 1:
            assert mcnemar_mid_p(n - gained, gained) > 0.05
        else:
            assert mcnemar_mid_p(lost, gained) <= 0.05 < mcnemar_mid_p(lost - 1, gained)


@pytest.mark.parametrize(("n", "gain_rate", "drop"), DROPS)
def test_smallest_drop_to_three_digits(n, gain_rate, drop):
    assert smallest_drop(n, gain_rate) == pytest.approx(drop, abs=0.001)


def brute_force(n: int, drop: float, gain_rate: float) -> float:
    lost_rate, total = drop + gain_rate, 0.0
    for gained in range(n + 1):
        for lost in range(n + 1 - gained):
            if mcnemar_mid_p(lost, gained) <= 0.05:
                ways = comb(n, gained) * comb(n - gained, lost)
                rest = (1 - lost_rate - gain_rate) ** (n - gained - lost)
                total += ways * gain_rate**gained * lost_rate**lost * rest
    return total


@pytest.mark.parametrize("n", [1, 4, 20, 30])
@pytest.mark.parametrize(
    ("drop", "gain_rate"), [(0.0, 0.0), (0.0, 0.1), (0.2, 0.0), (0.3, 0.1), (0.6, 0.2), (1.0, 0.0)]
)
def test_power_is_the_sum_over_all_outcomes(n, drop, gain_rate):
    assert power(n, drop, gain_rate) == pytest.approx(brute_force(n, drop, gain_rate), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 200), st.floats(0, 0.5))
def test_an_unchanged_model_is_rarely_accused(n, gain_rate):
    assert 0 <= power(n, 0.0, gain_rate) <= 0.075  # all of 17 discordant: 0.0717


@settings(max_examples=60, deadline=None)
@given(st.integers(5, 150), st.floats(0, 0.2), st.floats(0, 0.5), st.floats(0.01, 0.1))
def test_a_larger_drop_is_seen_more_often(n, gain_rate, drop, more):
    assert power(n, drop + more, gain_rate) >= power(n, drop, gain_rate) - 1e-9


@pytest.mark.parametrize("gain_rate", [0.0, 0.02, 0.05])
def test_more_probes_see_more(gain_rate):
    seen = [power(n, 0.1, gain_rate) for n in (20, 40, 80, 160, 320)]
    assert seen == sorted(seen)
    smallest = [smallest_drop(n, gain_rate) for n in (20, 40, 80, 160, 320)]
    assert smallest == sorted(smallest, reverse=True)


def test_three_probes_see_nothing():
    assert smallest_drop(3, 0.0) is None
    assert power(3, 1.0, 0.0) == 0.0


def test_a_certain_loss_is_seen_for_certain():
    assert power(4, 1.0, 0.0) == 1.0


@pytest.mark.parametrize(
    ("n", "drop", "gain_rate"),
    [(0, 0.1, 0.0), (10, -0.2, 0.1), (10, 0.1, -0.1), (10, 0.9, 0.1), (10, 1.1, 0.0)],
)
def test_no_evidence_is_an_error(n, drop, gain_rate):
    with pytest.raises(NoEvidenceError, match=f"^no power for n={n}, drop={drop}, gain rate={gain_rate}$"):
        power(n, drop, gain_rate)


def test_nan_rates_are_no_evidence():
    with pytest.raises(NoEvidenceError):
        power(10, float("nan"), 0.1)
