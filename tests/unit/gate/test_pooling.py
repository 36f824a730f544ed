"""Pooled comparisons against counting by hand, and against the comparison of a single run."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from harness.errors import NoEvidenceError
from harness.gate.compare import comparison
from harness.gate.pooling import pool
from harness.gate.verdict import judge
from harness.stats.paired import tango_interval, tango_z


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[list[bool]], list[list[bool]]]:
    n, count = draw(st.integers(1, 30)), draw(st.integers(1, 4))
    side = st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=count, max_size=count)
    return draw(side), draw(side)


@settings(max_examples=200, deadline=None)
@given(runs())
def test_pooling_is_counting(sides):
    before, after = sides
    pooled = pool(before, after)
    n, count = len(before[0]), len(before)
    lost = [0] * count
    gained = [0] * count
    right = 0
    for place in range(count):
        for probe in range(n):
            was, now = before[place][probe], after[place][probe]
            right += was
            lost[place] += was and not now
            gained[place] += now and not was
    drops = [(lost[place] - gained[place]) / n for place in range(count)]
    assert (pooled.n, pooled.smallest_drop, pooled.largest_drop) == (n, min(drops), max(drops))
    assert pooled.lost == pytest.approx(sum(lost) / count)
    assert pooled.gained == pytest.approx(sum(gained) / count)
    assert pooled.drop == pytest.approx(sum(drops) / count)
    assert pooled.baseline_accuracy == pytest.approx(right / (n * count))
    assert pooled.tuned_accuracy == pytest.approx(sum(map(sum, after)) / (n * count))
    low, high = pooled.interval
    assert low <= pooled.drop <= high
    assert low < high


@settings(max_examples=100, deadline=None)
@given(runs())
def test_one_run_is_the_usual_comparison(sides):
    before, after = sides[0][0], sides[1][0]
    pairs = list(zip(before, after, strict=True))
    usual = comparison(
        *(pairs.count(one) for one in ((True, True), (True, False), (False, True), (False, False)))
    )
    pooled = pool([before], [after])
    assert (pooled.lost, pooled.gained, pooled.n) == (usual.lost, usual.gained, usual.n)
    assert pooled.interval == usual.interval
    assert judge(pooled, 0.1) == judge(usual, 0.1)


def test_more_runs_of_the_same_are_no_more_evidence():
    before, after = [True] * 20, [True] * 15 + [False] * 5
    assert pool([before] * 3, [after] * 3) == pool([before], [after])


def test_counts_that_are_not_whole():
    before = [[True, True, False, False]] * 2
    after = [[True, False, False, False], [True, True, True, False]]
    pooled = pool(before, after)
    assert (pooled.lost, pooled.gained, pooled.drop) == (0.5, 0.5, 0.0)
    assert (pooled.smallest_drop, pooled.largest_drop) == (-0.25, 0.25)
    low, high = tango_interval(0.5, 0.5, 4)
    assert pooled.interval[0] < low
    assert high < pooled.interval[1]


@pytest.mark.parametrize("confidence", [0.90, 0.99])
@pytest.mark.parametrize("changes", [(10, 14), (8, 11, 20), (12, 12, 12, 12, 11)])
def test_the_interval_allows_for_the_variance_between_runs(changes, confidence):
    """At either bound Tango's score, over the root of the added variance, is the quantile that Satterthwaite gives."""
    n, known = 112, 80
    before = [[probe < known for probe in range(n)]] * len(changes)
    after = [[lost <= probe < known or known <= probe < known + 3 for probe in range(n)] for lost in changes]
    lost, drops = statistics.mean(changes), [(lost - 3) / n for lost in changes]
    within = ((lost + 3) / n - statistics.mean(drops) ** 2) / n
    between = statistics.variance(drops) / len(changes)
    degrees = (within + between) ** 2 / (between**2 / (len(changes) - 1))
    quantile = t.ppf((1 + confidence) / 2, degrees)
    for bound, sign in zip(pool(before, after, confidence).interval, (1, -1), strict=True):
        score = tango_z(lost, 3, n, bound) / math.sqrt(1 + between / within)
        assert score == pytest.approx(sign * quantile, abs=1e-6)


def test_runs_that_differ_more_say_less():
    before = [[True] * 50] * 3
    widths = []
    for spread in range(0, 10, 3):
        after = [[probe >= lost for probe in range(50)] for lost in (10 - spread, 10, 10 + spread)]
        low, high = pool(before, after).interval
        widths.append(high - low)
    assert widths == sorted(widths)
    assert widths[0] == pytest.approx(float(np.ptp(tango_interval(10, 0, 50))))
    assert widths[-1] > 1.5 * widths[0]


def test_means_that_round_up_are_still_counts():
    """Three runs in which every probe flips: 7/3 + 2/3 may come to more than 3."""
    for n in range(1, 30):
        for down in range(n + 1):
            before = [[True] * down + [False] * (n - down)] * 2 + [[True] * n]
            pool(before, [[not one for one in run] for run in before])


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            [],
            [],
            "cannot compare 0 runs before with 0 after, over [] probes: runs come in pairs over the same probes",
        ),
        (
            [[True]],
            [[True], [True]],
            "cannot compare 1 runs before with 2 after, over [1] probes: runs come in pairs over the same probes",
        ),
        (
            [[True]],
            [[True, False]],
            "cannot compare 1 runs before with 1 after, over [1, 2] probes: runs come in pairs over the same probes",
        ),
        ([[]], [[]], "no probes: nothing follows from an empty comparison"),
    ],
)
def test_no_evidence_is_an_error(before, after, message):
    with pytest.raises(NoEvidenceError) as caught:
        pool(before, after)
    assert str(caught.value) == message
