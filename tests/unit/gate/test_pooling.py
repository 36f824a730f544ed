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
from harness.gate.compare import Pair, compare, comparison
from harness.gate.compare import pooled as pooled_suites
from harness.gate.pooling import Unit, pool
from harness.gate.verdict import judge
from harness.scoring import SCORERS
from harness.scoring.score import Score
from harness.stats.clusters import design_effect
from harness.stats.paired import tango_interval, tango_z
from harness.suites.suite import Probe


def alone(n: int) -> list[Unit]:
    return [Unit("a")] * n


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[list[bool]], list[list[bool]]]:
    n, count = draw(st.integers(1, 30)), draw(st.integers(1, 4))
    side = st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=count, max_size=count)
    return draw(side), draw(side)


@settings(max_examples=200, deadline=None)
@given(runs())
def test_pooling_is_counting(sides):
    before, after = sides
    pooled = pool(alone(len(before[0])), before, after)
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
    pooled = pool(alone(len(before)), [before], [after])
    assert (pooled.lost, pooled.gained, pooled.n) == (usual.lost, usual.gained, usual.n)
    assert pooled.interval == usual.interval
    assert judge(pooled, 0.1) == judge(usual, 0.1)


def test_more_runs_of_the_same_are_no_more_evidence():
    before, after = [True] * 20, [True] * 15 + [False] * 5
    assert pool(alone(20), [before] * 3, [after] * 3) == pool(alone(20), [before], [after])


def test_counts_that_are_not_whole():
    before = [[True, True, False, False]] * 2
    after = [[True, False, False, False], [True, True, True, False]]
    pooled = pool(alone(4), before, after)
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
    for bound, sign in zip(pool(alone(n), before, after, confidence).interval, (1, -1), strict=True):
        score = tango_z(lost, 3, n, bound) / math.sqrt(1 + between / within)
        assert score == pytest.approx(sign * quantile, abs=1e-6)


def test_runs_that_differ_more_say_less():
    before = [[True] * 50] * 3
    widths = []
    for spread in range(0, 10, 3):
        after = [[probe >= lost for probe in range(50)] for lost in (10 - spread, 10, 10 + spread)]
        low, high = pool(alone(50), before, after).interval
        widths.append(high - low)
    assert widths == sorted(widths)
    assert widths[0] == pytest.approx(float(np.ptp(tango_interval(10, 0, 50))))
    assert widths[-1] > 1.5 * widths[0]


CLUSTERS = {
    "a": ["t0"] * 8 + ["t1"] * 8 + ["t2"] * 8,
    "b": ["t0"] * 3 + [None] * 9,
    "c": [None] * 20,
    "d": ["t0"] * 4,
}
"""Of the probes of four suites; the last is of one cluster, of which nothing says how others differ."""


@pytest.mark.parametrize("suites", ["a", "c", "d", "ab", "bc", "abc"])
def test_probes_that_go_together_say_less_as_in_the_gate(suites):
    units = [Unit(suite, cluster) for suite in suites for cluster in CLUSTERS[suite]]
    rights = [(place % 7 != 0, place % 9 > 3 if unit.suite == "c" else unit.cluster != "t0") for place, unit in enumerate(units)]  # fmt: skip
    pairs: dict[str, list[Pair]] = {}
    for place, (unit, (was, now)) in enumerate(zip(units, rights, strict=True)):
        probe = Probe(str(place), SCORERS["equals"](), cluster=unit.cluster)
        pairs.setdefault(unit.suite, []).append(Pair(probe, Score(was, ""), Score(now, "")))
    compared = [compare(each) for each in pairs.values()]
    expected = compared[0] if len(compared) == 1 else pooled_suites(compared)
    before, after = ([pair[side] for pair in rights] for side in (0, 1))
    found = pool(units, [before], [after])
    assert (found.lost, found.gained, found.n) == (expected.lost, expected.gained, expected.n)
    assert found.interval == pytest.approx(expected.interval)
    assert found == pool(units, [before] * 3, [after] * 3)


def test_seeds_and_clusters_both_leave_doubt():
    """At its estimate the variance is that between clusters, the mean over the runs, and that between runs."""
    n, lost = 40, (8, 12, 20)
    units = [Unit("a", f"t{place // 4}") for place in range(n)]
    after = [[place >= count for place in range(n)] for count in lost]
    found = pool(units, [[True] * n] * 3, after)
    effects = [
        design_effect([4] * (count // 4) + [0] * (10 - count // 4), [0] * 10, [4] * 10) for count in lost
    ]
    mean = statistics.mean(lost) / n
    within = statistics.mean(effects) * mean * (1 - mean) / n
    between = statistics.variance([count / n for count in lost]) / 3
    assert found.error == pytest.approx(math.sqrt(within + between))
    wider = pool(alone(n), [[True] * n] * 3, after)
    assert found.interval[0] < wider.interval[0]
    assert wider.interval[1] < found.interval[1]


def test_means_that_round_up_are_still_counts():
    """Three runs in which every probe flips: 7/3 + 2/3 may come to more than 3."""
    for n in range(1, 30):
        for down in range(n + 1):
            before = [[True] * down + [False] * (n - down)] * 2 + [[True] * n]
            pool(alone(n), before, [[not one for one in run] for run in before])


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
        pool(alone(max(map(len, before), default=0)), before, after)
    assert str(caught.value) == message
