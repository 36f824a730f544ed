"""Wilson's interval against published values and another library's."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import NoEvidenceError
from harness.stats.clusters import design_effect, student_quantile
from harness.stats.rates import rate_interval, upper_tail, wilson_interval

ORACLES = json.loads((Path(__file__).parent / "oracles.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("oracle", ORACLES["wilson_95"], ids=lambda oracle: str(oracle["n"]))
def test_as_published(oracle):
    interval = wilson_interval(oracle["successes"], oracle["n"], 0.95)
    assert interval == pytest.approx(oracle["interval"], abs=0.00005)


def test_as_in_another_library():
    # statsmodels 0.15.0, proportion_confint(count, n, 0.1, "wilson")
    assert wilson_interval(7, 184) == pytest.approx((0.020755887197433712, 0.06871946069550523))
    assert wilson_interval(0, 46) == pytest.approx((0.0, 0.05554898400107922))


@given(st.integers(1, 500), st.data())
def test_it_holds_the_rate_and_mirrors(n, data):
    count = data.draw(st.integers(0, n))
    low, high = wilson_interval(count, n)
    assert 0 <= low <= count / n + 1e-12
    assert count / n - 1e-12 <= high <= 1
    assert wilson_interval(n - count, n) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("count", "n"), [(0, 0), (-1, 5), (6, 5), (float("nan"), 5), (1, float("inf"))])
def test_no_rate_is_an_error(count, n):
    with pytest.raises(NoEvidenceError, match=f"^{count} is no count out of {n}$"):
        wilson_interval(count, n)


@given(st.integers(0, 40), st.floats(0, 1), st.data())
def test_the_upper_tail_sums_the_probabilities_of_as_many_or_more(n, chance, data):
    count = data.draw(st.integers(0, n))
    summed = sum(math.comb(n, k) * chance**k * (1 - chance) ** (n - k) for k in range(count, n + 1))
    assert upper_tail(count, n, chance) == pytest.approx(summed, abs=1e-9)


@pytest.mark.parametrize(
    ("count", "n", "chance"), [(3, 2, 0.5), (-1, 2, 0.5), (1, 2, 1.5), (1, 2, float("nan"))]
)
def test_no_tail_without_a_count_and_a_chance(count, n, chance):
    with pytest.raises(NoEvidenceError, match="is no count out of"):
        upper_tail(count, n, chance)


def test_a_rate_of_probes_that_go_together_is_less_sure():
    """Four templates of five, one of them right: Wilson's interval on effective counts, by Student's quantile."""
    counts = [place < 5 for place in range(20)]
    effect = design_effect([5, 0, 0, 0], [0] * 4, [5] * 4)
    expected = wilson_interval(5 / effect, 20 / effect, quantile=student_quantile(3))
    assert rate_interval(counts, [f"t{place // 5}" for place in range(20)]) == pytest.approx(expected)
    assert rate_interval(counts, [None] * 20) == wilson_interval(5, 20)
    assert rate_interval(counts, ["one"] * 20) == wilson_interval(5, 20)
