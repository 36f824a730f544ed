"""How surely more probes settle a comparison, by brute force and simulation."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from harness.errors import NoEvidenceError
from harness.stats.paired import tango_interval
from harness.stats.settling import more_to_settle, probability_settled

UNDECIDED = [(3, 1, 30, 0.10), (4, 1, 30, 0.20), (4, 2, 46, 0.10), (12, 4, 184, 0.05), (5, 2, 46, 0.05)]


def settles(lost: int, gained: int, n: int, margin: float) -> bool:
    low, high = tango_interval(lost, gained, n)
    return high <= margin or low > margin


@pytest.mark.parametrize(
    ("lost", "gained", "n", "margin"), [(3, 1, 20, 0.1), (0, 0, 10, 0.2), (2, 2, 9, 0.3)]
)
@pytest.mark.parametrize("more", [0, 1, 12, 25])
def test_the_chance_is_the_sum_over_all_outcomes(lost, gained, n, margin, more):
    total, p, q = 0.0, lost / n, gained / n
    for c in range(more + 1):
        for b in range(more + 1 - c):
            if settles(lost + b, gained + c, n + more, margin):
                ways = comb(more, c) * comb(more - c, b)
                total += ways * p**b * q**c * (1 - p - q) ** (more - b - c)
    assert probability_settled(lost, gained, n, margin, more) == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize("comparison", UNDECIDED)
def test_as_many_as_it_says_settle_four_in_five(comparison):
    lost, gained, n, margin = comparison
    more = more_to_settle(*comparison)
    assert probability_settled(*comparison, more) >= 0.80
    assert probability_settled(*comparison, int(more * 0.8)) < 0.80
    rates = [lost / n, gained / n, 1 - (lost + gained) / n]
    drawn = np.random.default_rng(6).multinomial(more, rates, size=1000)
    share = np.mean([settles(lost + b, gained + c, n + more, margin) for b, c, _ in drawn])
    assert share == pytest.approx(0.8, abs=0.05)


def test_what_is_settled_needs_no_more():
    assert more_to_settle(0, 0, 30, 0.10) == 0
    assert more_to_settle(20, 0, 30, 0.10) == 0


def test_no_flips_want_what_can_be_retained():
    assert more_to_settle(0, 0, 20, 0.10) == 5


def test_a_drop_that_is_the_margin_never_settles():
    assert more_to_settle(2, 0, 20, 0.10) is None


@pytest.mark.parametrize(
    "counts", [(0, 0, 0, 0.1), (3, 8, 10, 0.1), (1, 0, 10, 1.0), (1, 0, 10, float("nan"))]
)
def test_no_evidence_is_an_error(counts):
    with pytest.raises(NoEvidenceError):
        probability_settled(*counts, more=10)
