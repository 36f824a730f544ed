"""Verdicts at their boundaries: intervals against margins of points, of what the baseline knew, and of bits per byte."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.gate.compare import Comparison, Rise, comparison
from harness.gate.verdict import judge, judge_gate, judge_rise, nothing_to_lose, over, shortfall
from harness.stats.clusters import student_quantile
from harness.stats.paired import least_to_retain
from harness.suites.suite import MarginGate

COUNTS = st.tuples(*[st.integers(0, 60)] * 4).filter(any)


def with_interval(
    low: float, high: float, right: int = 100, loss: tuple[float, float] | None = None
) -> Comparison:
    return Comparison(right, 0, 0, 100 - right, (low, high), 0.5, loss)


def gate(max_drop: float = 0.20, max_loss: float = 0.35) -> MarginGate:
    return MarginGate(over="category", max_drop=max_drop, max_loss=max_loss)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.10, 0.05, "RETAINED"),
        (-0.10, 0.10, "RETAINED"),  # at the margin
        (-0.10, 0.1 + 1e-12, "RETAINED"),  # 0.1 has no exact binary form
        (-0.10, 0.101, "INCONCLUSIVE"),
        (0.099, 0.30, "INCONCLUSIVE"),
        (0.10, 0.30, "INCONCLUSIVE"),  # at the margin is not above it
        (0.101, 0.30, "FORGOTTEN"),
        (0.50, 0.90, "FORGOTTEN"),
    ],
)
def test_the_interval_against_the_margin(low, high, verdict):
    assert judge(with_interval(low, high), 0.10) == verdict
    assert judge_gate(with_interval(low, high), gate(0.10, 1.0)) == verdict
    assert judge_rise(Rise(0.0, (low, high), 0.5), 0.10) == verdict


@pytest.mark.parametrize(
    ("right", "margin", "verdict"),
    [
        (0, 0.0, "VACUOUS"),
        (0, 0.1, "VACUOUS"),
        (10, 0.1, "VACUOUS"),
        (11, 0.1, "RETAINED"),
        (100, 1.0, "VACUOUS"),
    ],
)
def test_a_baseline_with_no_more_than_the_margin_to_lose(right, margin, verdict):
    assert judge(with_interval(-0.05, 0.0, right), margin) == verdict


@pytest.mark.parametrize(
    ("counts", "margin", "verdict"),
    [
        ({"kept": 240}, 0.10, "RETAINED"),
        ({"kept": 100, "lost": 100}, 0.10, "FORGOTTEN"),
        ({"kept": 10, "lost": 3, "missed": 17}, 0.10, "INCONCLUSIVE"),
        ({"missed": 30}, 0.10, "VACUOUS"),
        ({"gained": 30}, 0.10, "VACUOUS"),
        ({"kept": 3, "missed": 27}, 0.10, "VACUOUS"),
    ],
)
def test_verdicts_on_counts(counts, margin, verdict):
    assert judge(comparison(**{**dict.fromkeys(("kept", "lost", "gained", "missed"), 0), **counts}), margin) == verdict  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(COUNTS, st.floats(0, 1), st.floats(0.01, 1))
def test_one_more_loss_never_makes_a_verdict_better(counts, margin, share):
    order = ["RETAINED", "INCONCLUSIVE", "FORGOTTEN"]
    kept, lost, gained, missed = counts
    if not kept:
        return
    tables = (counts, (kept - 1, lost + 1, gained, missed))
    for verdict in (lambda found: judge(found, margin), lambda found: judge_gate(found, gate(margin, share))):
        before, after = (verdict(comparison(*table)) for table in tables)
        assert (before == "VACUOUS") == (after == "VACUOUS")
        if before != "VACUOUS":
            assert order.index(after) >= order.index(before)


@pytest.mark.parametrize("margin", [0.01, 0.05, 0.10, 0.15, 0.20, 0.5, 1.0])
def test_the_fewest_probes_to_be_retained_are_those_of_the_interval(margin):
    needed = least_to_retain(margin)
    assert judge(comparison(needed, 0, 0, 0), margin) in ("RETAINED", "VACUOUS")
    if needed > 1:
        assert judge(comparison(needed - 1, 0, 0, 0), margin) in ("INCONCLUSIVE", "VACUOUS")


# Two margins


@pytest.mark.parametrize(
    ("drop", "loss", "verdict"),
    [
        ((-0.1, 0.2), (-0.1, 0.35), "RETAINED"),
        ((-0.1, 0.2), (0.1, 0.36), "INCONCLUSIVE"),
        ((0.1, 0.21), (0.1, 0.35), "INCONCLUSIVE"),
        ((-0.1, 0.2), (0.36, 0.9), "FORGOTTEN"),
        ((0.21, 0.3), (0.1, 0.35), "FORGOTTEN"),
        ((0.21, 0.3), (0.1, 0.36), "FORGOTTEN"),
    ],
)
def test_both_margins_retain_and_either_forgets(drop, loss, verdict):
    assert judge_gate(with_interval(*drop, loss=loss), gate(0.20, 0.35)) == verdict


def test_a_share_of_any_size_may_be_lost_where_the_gate_says_so():
    assert judge_gate(with_interval(-0.1, 0.2, loss=(0.8, 0.9)), gate(0.20, 1.0)) == "RETAINED"


@pytest.mark.parametrize(
    ("counts", "margins", "is_over"),
    [
        ((3, 9, 0, 34), (0.20, 0.35), True),  # 75 % of the 12 known, in 19.6 points
        ((3, 9, 0, 34), (0.20, 1.0), False),
        ((6, 4, 0, 36), (0.20, 0.35), True),  # 40 % of 10, in 8.7 points
        ((13, 7, 0, 26), (0.20, 0.35), False),  # 35 % of 20, at the margin
        ((10, 7, 3, 26), (0.20, 0.35), False),  # gains make up for losses: 4 of 17
        ((36, 4, 0, 0), (0.10, 1.0), False),  # 10 points, at the margin
        ((35, 5, 0, 0), (0.10, 1.0), True),
        ((0, 0, 9, 37), (0.20, 0.35), False),
    ],
)
def test_what_was_observed_is_over_a_margin(counts, margins, is_over):
    assert over(comparison(*counts), gate(*margins)) is is_over


def test_nine_lost_of_twelve_known():
    found = comparison(3, 9, 0, 34)
    assert found.loss == pytest.approx((0.5127, 0.8953), abs=5e-5)
    assert judge_gate(found, gate(0.20, 0.35)) == "FORGOTTEN"
    assert judge_gate(found, gate(0.20, 1.0)) == "INCONCLUSIVE"


def test_four_lost_of_ten_known():
    found = comparison(6, 4, 0, 36)
    assert judge_gate(found, gate(0.20, 1.0)) == "RETAINED"
    assert judge_gate(found, gate(0.20, 0.35)) == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("known", "max_drop", "max_loss", "nothing"),
    [
        (5, 0.20, 0.35, True),  # 10.9 points, and 6 known show a loss of 35 %
        (6, 0.20, 0.35, False),
        (9, 0.20, 1.0, True),
        (10, 0.20, 1.0, False),
        (5, 0.10, 0.35, False),  # more than the margin
        (1, 0.10, 0.0, False),  # nothing of it may be lost
        (0, 0.10, 0.0, True),
        (0, 0.0, 0.0, True),
        (0, 0.0, 1.0, True),
    ],
)
def test_a_share_of_little_can_be_lost_too(known, max_drop, max_loss, nothing):
    found = comparison(known, 0, 0, 46 - known)
    assert nothing_to_lose(found, gate(max_drop, max_loss)) is nothing
    assert (judge_gate(found, gate(max_drop, max_loss)) == "VACUOUS") is nothing


# Slices that could not be RETAINED whatever was answered


@pytest.mark.parametrize(
    ("counts", "margins", "missing"),
    [
        ((5, 0, 0, 0), (0.20, 0.35), (6, "not gated, 5 probes: a margin of 20 points needs 11")),
        ((1, 9, 0, 0), (0.20, 0.35), (1, "not gated, 10 probes: a margin of 20 points needs 11")),
        ((1, 0, 0, 0), (0.075, 0.15), (33, "not gated, 1 probe: a margin of 7.5 points needs 34")),
        ((24, 0, 0, 0), (0.10, 1.0), (1, "not gated, 24 probes: a margin of 10 points needs 25")),
        (
            (4, 0, 0, 56),
            (0.05, 0.35),
            (31, "not gated, the baseline knew 4 of 60 probes: a loss of at most 35 % of that needs 6"),
        ),
        ((11, 0, 0, 0), (0.20, 0.35), None),
        ((25, 0, 0, 0), (0.10, 1.0), None),
        ((6, 0, 0, 54), (0.05, 0.35), None),
        ((4, 0, 0, 56), (0.10, 0.35), None),  # nothing to lose is a verdict
        ((1, 0, 0, 0), (0.0, 1.0), None),  # without a margin nothing is RETAINED, and much may fail
    ],
)
def test_what_a_slice_lacks(counts, margins, missing):
    assert shortfall(comparison(*counts), gate(*margins)) == missing


@pytest.mark.parametrize(("clusters", "needed"), [(3, 35), (12, 13), (1, 11)])
def test_what_a_slice_of_clusters_lacks(clusters, needed):
    """By Student's quantile of one degree less than clusters; the single one of a slice has none."""
    found = Comparison(10, 0, 0, 0, (-0.2, 0.2), 0.5, clusters=clusters)
    if clusters > 1:
        assert needed == least_to_retain(0.20, student_quantile(clusters - 1))
    of = "1 cluster" if clusters == 1 else f"{clusters} clusters"
    assert shortfall(found, gate()) == (
        needed - 10,
        f"not gated, 10 probes in {of}: a margin of 20 points needs {needed}",
    )


@settings(max_examples=200, deadline=None)
@given(COUNTS, st.sampled_from([0.05, 0.1, 0.15, 0.2]), st.sampled_from([0.15, 0.35, 1.0]))
def test_a_gate_that_lacks_nothing_can_be_retained(counts, max_drop, max_loss):
    """With the same baseline: by a tuned model that keeps all of it."""
    kept, lost, gained, missed = counts
    best, rule = comparison(kept + lost, 0, 0, gained + missed), gate(max_drop, max_loss)
    lacking = shortfall(comparison(*counts), rule) is not None
    verdict = judge_gate(best, rule)
    assert verdict in (("INCONCLUSIVE", "VACUOUS") if lacking else ("RETAINED", "VACUOUS"))
