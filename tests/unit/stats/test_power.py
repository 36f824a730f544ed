"""What a suite of n probes can see, against values made elsewhere and against brute force."""

from __future__ import annotations

import json
import time
from math import comb
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multinomial

from harness.errors import NoEvidenceError
from harness.gate.cases import cases
from harness.gate.compare import Pair
from harness.gate.decide import decide
from harness.gate.finding import find
from harness.gate.policy import Policy
from harness.scoring import SCORERS, Score
from harness.stats.paired import mcnemar_mid_p, tango_interval, tango_z
from harness.stats.power import (
    Confirmed,
    NotRetained,
    OverMargin,
    Significant,
    least_failing_losses,
    minimum_detectable_drop,
    minimum_margin,
    noise_drop,
    power,
    probability_retained,
    probes_for,
)
from harness.suites.suite import MarginGate, Probe, Suite

NORMAL_95 = 1.6448536269514722

ORACLES = json.loads((Path(__file__).parent / "oracles.json").read_text(encoding="utf-8"))
LEAST = ORACLES["mid_p_one_sided_least_losses_significant_at_5_percent"]
SMALLEST = ORACLES["smallest_drop_with_80_percent_power_mid_p_one_sided_5_percent"]
DROPS = [
    (n, gain_rate, drop)
    for n in (20, 100, 500)
    for gain_rate, drop in zip(SMALLEST["gain_rate"], SMALLEST[f"n_{n}"], strict=True)
]


def test_least_failing_losses_as_published():
    least = least_failing_losses(50)
    assert [least[gained] for gained in LEAST["gained"]] == LEAST["lost"]


@pytest.mark.parametrize("n", [1, 3, 4, 30])
def test_least_failing_losses_are_the_least(n):
    least = least_failing_losses(n)
    assert len(least) == n + 1
    for gained, lost in enumerate(least.tolist()):
        if lost == n + 1:
            assert mcnemar_mid_p(n - gained, gained) > 0.05
        else:
            assert mcnemar_mid_p(lost, gained) <= 0.05 < mcnemar_mid_p(lost - 1, gained)


@pytest.mark.parametrize(("n", "gain_rate", "drop"), DROPS)
def test_smallest_drop_to_three_digits(n, gain_rate, drop):
    assert minimum_detectable_drop(n, gain_rate) == pytest.approx(drop, abs=0.001)


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
    smallest = [minimum_detectable_drop(n, gain_rate) for n in (20, 40, 80, 160, 320)]
    assert smallest == sorted(smallest, reverse=True)


def test_three_probes_see_nothing():
    assert minimum_detectable_drop(3, 0.0) is None
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


# The rule of a gate


def verdict_fails(kept: int, lost: int, gained: int, missed: int, gate: MarginGate) -> bool:
    """What a gate makes of these counts, by its own code."""
    probe = Probe("p", SCORERS["mentions"]())
    case = next(cases(Suite("s", (gate,), (probe,))))
    right, wrong = Score(True, ""), Score(False, "")
    changes = {(right, right): kept, (right, wrong): lost, (wrong, right): gained, (wrong, wrong): missed}
    pairs = [Pair(probe, before, after) for (before, after), n in changes.items() for _ in range(n)]
    (decision,) = decide([find(case, pairs)], Policy())
    return decision.outcome == "failed"


@pytest.mark.parametrize("inconclusive", ["observed", "fail", "pass"])
@pytest.mark.parametrize(("n", "margin"), [(12, 0.25), (26, 0.1), (11, 0.2), (20, 0.4)])
def test_the_rule_over_a_margin_is_that_of_the_gate(n, margin, inconclusive):
    rule = OverMargin(margin, inconclusive)
    gate = MarginGate(over="all", max_drop=margin, on_inconclusive=inconclusive)
    for gained in range(n + 1):
        for lost in range(n + 1 - gained):
            if (n - gained) / n <= margin:  # too little to lose: vacuous, whatever comes
                continue
            seen = bool(rule.fails(np.array([lost]), np.array([gained]), n)[0])
            assert seen == verdict_fails(n - lost - gained, lost, gained, 0, gate), (lost, gained)


@pytest.mark.parametrize(("n", "known", "margin", "loss"), [(30, 20, 0.15, 0.35), (40, 16, 0.25, 0.15)])
def test_what_is_not_retained_fails_a_gate_under_fail(n, known, margin, loss):
    rule = NotRetained(margin, loss, known)
    gate = MarginGate(over="all", max_drop=margin, max_loss=loss, on_inconclusive="fail")
    for gained in range(n - known + 1):
        for lost in range(known + 1):
            seen = bool(rule.fails(np.array([lost]), np.array([gained]), n)[0])
            wanted = verdict_fails(known - lost, lost, gained, n - known - gained, gate)
            assert seen == wanted, (lost, gained)


@pytest.mark.parametrize("loss", [0.15, 0.35, 1.0])
@pytest.mark.parametrize("known", [5, 20, 40])
def test_more_losses_never_make_a_model_retained(known, loss):
    rule, n = NotRetained(0.15, loss, known), 40
    for gained in range(n + 1):
        lost = np.arange(n - gained + 1)
        fails = rule.fails(lost, np.full_like(lost, gained), n)
        assert fails.tolist() == sorted(fails.tolist())


def test_an_interval_by_another_quantile():
    assert probability_retained(40, 0.10, 0.02) > probability_retained(40, 0.10, 0.02, quantile=2.5)
    assert minimum_margin(40, 0.02) < minimum_margin(40, 0.02, quantile=2.5)


@pytest.mark.parametrize("n", [1, 46, 184])
@pytest.mark.parametrize("flip_rate", [0.0, 0.02, 0.10, 0.5])
def test_the_drop_of_noise_is_the_smallest_that_flips_rarely_exceed(n, flip_rate):
    lost, gained = np.indices((n + 1, n + 1))
    valid = lost + gained <= n
    chances = multinomial.pmf(
        np.stack([lost, gained, n - lost - gained], -1)[valid],
        n,
        [flip_rate / 2, flip_rate / 2, 1 - flip_rate],
    )
    net = (lost - gained)[valid]
    wanted = next(k for k in range(n + 1) if chances[net > k].sum() <= 0.05 + 1e-12)
    assert noise_drop(n, flip_rate) == pytest.approx(wanted / n)


@pytest.mark.parametrize(
    "rule", [OverMargin(m, i) for m in (0.0, 0.1, 0.5) for i in ("observed", "fail", "pass")]
)
@pytest.mark.parametrize("n", [1, 9, 40])
def test_more_losses_never_mend_a_failure(n, rule):
    for gained in range(n + 1):
        lost = np.arange(n - gained + 1)
        fails = rule.fails(lost, np.full_like(lost, gained), n)
        assert fails.tolist() == sorted(fails.tolist())


@pytest.mark.parametrize("margin", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("level", [0.05, 0.001])
def test_a_confirmed_drop_is_over_the_margin_and_significant(margin, level):
    n, rule = 30, Confirmed(margin, level)
    for gained in range(n + 1):
        lost = np.arange(n - gained + 1)
        expected = [
            (b - gained) / n > margin + 1e-9 and mcnemar_mid_p(b, gained) <= level for b in lost.tolist()
        ]
        assert rule.fails(lost, np.full_like(lost, gained), n).tolist() == expected
        assert expected == sorted(expected), "more losses never mend a failure"


@pytest.mark.parametrize("rule", [Significant(), OverMargin(0.1, "fail"), OverMargin(0.1, "pass")])
def test_more_gains_never_make_a_failure(rule):
    least = least_failing_losses(40, rule)
    assert least.tolist() == sorted(least.tolist())


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 120), st.data(), st.floats(1e-6, 0.99))
def test_tango_z_says_on_which_side_of_a_drop_the_interval_lies(n, data, d0):
    lost = data.draw(st.integers(0, n))
    gained = data.draw(st.integers(0, n - lost))
    low, high = tango_interval(lost, gained, n)
    z = float(tango_z(np.array([lost]), np.array([gained]), n, d0)[0])
    if min(abs(low - d0), abs(high - d0)) > 1e-6:
        assert (z > NORMAL_95) == (low > d0)
        assert (z < -NORMAL_95) == (high < d0)


@pytest.mark.parametrize("inconclusive", ["observed", "fail", "pass"])
@pytest.mark.parametrize(("drop", "gain_rate"), [(0.0, 0.01), (0.1, 0.05), (0.3, 0.0)])
@pytest.mark.parametrize("n", [15, 26])
def test_power_of_a_gate_is_the_sum_over_all_outcomes(n, drop, gain_rate, inconclusive):
    margin, lost_rate, total = 0.1, drop + gain_rate, 0.0
    for gained in range(n + 1):
        for lost in range(n + 1 - gained):
            if rule_fails(lost, gained, n, margin, inconclusive):
                ways = comb(n, gained) * comb(n - gained, lost)
                total += (
                    ways * gain_rate**gained * lost_rate**lost
                    * (1 - lost_rate - gain_rate) ** (n - gained - lost)
                )  # fmt: skip
    assert power(n, drop, gain_rate, OverMargin(margin, inconclusive)) == pytest.approx(total, abs=1e-9)


def rule_fails(lost: int, gained: int, n: int, margin: float, inconclusive: str) -> bool:
    low, high = tango_interval(lost, gained, n)
    if high <= margin:
        return False
    too_small = margin > 0 and tango_interval(0, 0, n)[1] > margin  # nothing lost would not be enough
    observed = (lost - gained) / n > margin + 1e-9 and not too_small
    return low > margin or {"observed": observed, "fail": True, "pass": False}[inconclusive]


def test_a_margin_of_everything_fails_nothing():
    assert power(20, 1.0, 0.0, OverMargin(1.0)) == 0.0
    assert minimum_detectable_drop(20, 0.0, rule=OverMargin(1.0)) is None


def test_a_stricter_gate_catches_smaller_drops_and_cries_wolf_more_often():
    rules = [OverMargin(0.1, inconclusive) for inconclusive in ("fail", "observed", "pass")]
    caught = [minimum_detectable_drop(100, 0.01, rule=rule) for rule in rules]
    alarms = [power(100, 0.0, 0.01, rule) for rule in rules]
    assert caught == sorted(caught)
    assert alarms == sorted(alarms, reverse=True)


# Planning


@pytest.mark.parametrize(
    ("drop", "gain_rate"), [(0.05, 0.0), (0.05, 0.01), (0.2, 0.01), (0.2, 0.05), (1.0, 0.0)]
)
def test_probes_for_a_drop_are_enough_and_not_many_too_many(drop, gain_rate):
    n = probes_for(drop, gain_rate)
    assert power(n, drop, gain_rate) >= 0.8
    assert all(power(fewer, drop, gain_rate) < 0.8 for fewer in range(1, int(0.9 * n)))


def test_probes_for_agree_with_the_published_smallest_drop():
    n = probes_for(0.110, 0.05)
    assert 90 <= n <= 105  # 100 probes see 11.0 points


def test_no_number_of_probes_shows_nothing():
    assert probes_for(0.0, 0.01) is None
    assert probes_for(0.05, 0.01, rule=OverMargin(0.10), most=2000) is None


def test_twenty_probes_without_a_flip_cannot_be_retained_within_ten_points():
    assert probability_retained(20, 0.10, 0.0) == 0.0
    assert probability_retained(20, 0.12, 0.0) == 1.0


@pytest.mark.parametrize(("n", "gain_rate"), [(20, 0.0), (30, 0.01), (100, 0.01), (240, 0.0), (240, 0.05)])
def test_the_smallest_margin_is_the_smallest(n, gain_rate):
    margin = minimum_margin(n, gain_rate)
    assert probability_retained(n, margin, gain_rate) >= 0.8
    assert margin == 0.01 or probability_retained(n, margin - 0.01, gain_rate) < 0.8


def test_no_margin_is_below_the_noise_floor():
    assert minimum_margin(500, 0.0) == 0.01
    assert minimum_margin(500, 0.0, floor=0.034) == 0.04
    assert minimum_margin(500, 0.0, floor=0.03) == 0.03


def test_a_single_probe_leaves_room_only_for_a_margin_that_says_nothing():
    assert minimum_margin(1, 0.0) == 0.74  # z^2 / (1 + z^2)
    assert minimum_margin(2, 0.5) is None


def test_large_suites_are_quick():
    began = time.process_time()
    for n in range(20, 420, 10):
        minimum_detectable_drop(n, 0.01)
        minimum_detectable_drop(n, 0.01, rule=OverMargin(0.07))
    assert time.process_time() - began < 2
