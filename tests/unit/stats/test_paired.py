"""The paired statistics against published values, and the properties that they must have."""

from __future__ import annotations

import json
import math
from math import comb
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import NoEvidenceError
from harness.stats.paired import mcnemar_mid_p, tango_interval, tango_z

ORACLES = json.loads((Path(__file__).parent / "oracles.json").read_text(encoding="utf-8"))


@st.composite
def counts(draw: st.DrawFn, most: int = 400) -> tuple[int, int, int]:
    """(lost, gained, n)"""
    n = draw(st.integers(1, most))
    lost = draw(st.integers(0, n))
    return lost, draw(st.integers(0, n - lost)), n


@pytest.mark.parametrize("oracle", ORACLES["tango_interval"], ids=lambda oracle: str(oracle["table"]))
def test_tango_interval_as_published(oracle):
    _, lost, gained, _ = oracle["table"]
    low, high = tango_interval(lost, gained, sum(oracle["table"]), oracle["confidence"])
    assert (low, high) == pytest.approx(oracle["interval"], abs=0.5 * 10 ** -oracle.get("digits", 7))


@pytest.mark.parametrize("oracle", ORACLES["mcnemar_two_sided"], ids=lambda oracle: oracle["source"])
def test_mcnemar_as_published(oracle):
    less, more = sorted((oracle["first_only"], oracle["second_only"]))
    assert 2 * mcnemar_mid_p(more, less) == pytest.approx(oracle["mid_p"], abs=1e-6)


@pytest.mark.parametrize("n", [1, 2, 20, 240, 10_000])
def test_no_flips_never_have_zero_width(n):
    z = 1.6448536269514722
    assert tango_interval(0, 0, n) == pytest.approx((-z * z / (n + z * z), z * z / (n + z * z)))


@settings(max_examples=300, deadline=None)
@given(counts())
def test_the_interval_holds_the_drop_has_width_and_stays_within_bounds(outcome):
    lost, gained, n = outcome
    low, high = tango_interval(lost, gained, n)
    assert -1 <= low <= (lost - gained) / n <= high <= 1
    assert high - low > 1e-6


@settings(max_examples=200, deadline=None)
@given(counts())
def test_losses_and_gains_mirror_each_other(outcome):
    lost, gained, n = outcome
    low, high = tango_interval(lost, gained, n)
    assert tango_interval(gained, lost, n) == pytest.approx((-high, -low), abs=1e-9)
    assert mcnemar_mid_p(lost, gained) + mcnemar_mid_p(gained, lost) == pytest.approx(1.0)


@settings(max_examples=150, deadline=None)
@given(counts(100), st.integers(2, 20))
def test_more_probes_narrow_the_interval(outcome, times):
    lost, gained, n = outcome
    low, high = tango_interval(lost, gained, n)
    narrow_low, narrow_high = tango_interval(lost * times, gained * times, n * times)
    assert narrow_high - narrow_low < high - low


@settings(max_examples=150, deadline=None)
@given(counts(), st.floats(0.5, 0.98), st.floats(0.001, 0.015))
def test_more_confidence_widens_the_interval(outcome, confidence, more):
    low, high = tango_interval(*outcome, confidence)
    wide_low, wide_high = tango_interval(*outcome, confidence + more)
    assert wide_low <= low + 1e-9
    assert wide_high >= high - 1e-9


@settings(max_examples=100, deadline=None)
@given(counts(200))
def test_one_more_loss_moves_the_interval_up(outcome):
    lost, gained, n = outcome
    if lost + gained < n:
        before, after = tango_interval(lost, gained, n), tango_interval(lost + 1, gained, n)
        assert after[0] > before[0] - 1e-9
        assert after[1] > before[1] - 1e-9


@pytest.mark.parametrize(
    ("lost", "gained", "n"), [(1, 0, 1), (0, 1, 1), (5, 0, 5), (0, 5, 5), (1, 1, 2), (10**6, 0, 10**6)]
)
def test_the_extremes(lost, gained, n):
    low, high = tango_interval(lost, gained, n)
    assert -1 <= low < high <= 1
    assert high == 1 or lost < n
    assert low == -1 or gained < n


def test_mid_p_is_between_half_the_exact_value_and_the_exact_value():
    for lost in range(8):
        for gained in range(8):
            exact = 0.5 ** (lost + gained) * sum(
                comb(lost + gained, k) for k in range(lost, lost + gained + 1)
            )
            assert exact / 2 - 1e-12 <= mcnemar_mid_p(lost, gained) <= exact


def test_no_flips_speak_neither_for_nor_against_a_loss():
    assert mcnemar_mid_p(0, 0) == 0.5


@pytest.mark.parametrize(
    ("lost", "gained", "n", "message"),
    [
        (0, 0, 0, "no probes: nothing follows from an empty comparison"),
        (0, 0, -1, "no probes: nothing follows from an empty comparison"),
        (-1, 0, 5, "-1 lost and 0 gained cannot be counts out of 5 probes"),
        (0, -1, 5, "0 lost and -1 gained cannot be counts out of 5 probes"),
        (3, 3, 5, "3 lost and 3 gained cannot be counts out of 5 probes"),
    ],
)
def test_no_evidence_is_an_error(lost, gained, n, message):
    with pytest.raises(NoEvidenceError, match=f"^{message}$"):
        tango_interval(lost, gained, n)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 1.5, -0.1, math.nan])
def test_confidence_is_a_probability(confidence):
    with pytest.raises(NoEvidenceError, match="confidence must lie between 0 and 1"):
        tango_interval(1, 0, 5, confidence)


@settings(max_examples=200, deadline=None)
@given(counts(), st.floats(-0.999, 0.999))
def test_the_score_of_many_counts_is_that_of_each(outcome, d0):
    lost, gained, n = outcome
    alone = tango_z(lost, gained, n, d0)
    among = tango_z(np.array([0, lost, n]), np.array([n, gained, 0]), n, d0)
    assert among.tolist() == [tango_z(0, n, n, d0), alone, tango_z(n, 0, n, d0)]
    assert np.isfinite(among).all()


@settings(max_examples=200, deadline=None)
@given(counts())
def test_the_score_is_the_quantile_at_the_ends_of_the_interval(outcome):
    lost, gained, n = outcome
    low, high = tango_interval(lost, gained, n)
    z = 1.6448536269514722
    assert lost == n or tango_z(lost, gained, n, high) == pytest.approx(-z, rel=1e-4)
    assert gained == n or tango_z(lost, gained, n, low) == pytest.approx(z, rel=1e-4)


def test_no_flips_score_nothing_against_no_drop():
    assert tango_z(0, 0, 20, 0.0) == 0
