"""Two sides of scores in, counts and an interval out; nothing unpaired or empty gets through."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import NoEvidenceError
from harness.gate.compare import Pair, compare, comparison, pair
from harness.scoring import SCORERS, Score
from harness.stats.paired import mcnemar_mid_p, tango_interval
from harness.suites.suite import Probe

RIGHT, WRONG = Score(True, "yes"), Score(False, "no")


def probe(id: str) -> Probe:
    return Probe(id, SCORERS["mentions"]())


@pytest.mark.parametrize(
    ("baseline", "tuned", "change"),
    [
        (RIGHT, RIGHT, "kept"),
        (RIGHT, WRONG, "lost"),
        (WRONG, RIGHT, "gained"),
        (WRONG, WRONG, "missed"),
        (None, RIGHT, None),
    ],
)
def test_what_changed(baseline, tuned, change):
    assert Pair(probe("a"), baseline, tuned).change == change


def test_scores_are_paired_by_id_in_the_order_of_the_probes():
    probes = [probe("b"), probe("a")]
    pairs = pair(probes, {"a": RIGHT, "b": WRONG, "z": RIGHT}, {"b": RIGHT, "a": WRONG})
    assert pairs == [Pair(probes[0], WRONG, RIGHT), Pair(probes[1], RIGHT, WRONG)]
    assert [each.baseline for each in pair(probes, None, {"a": RIGHT, "b": RIGHT})] == [None, None]


@pytest.mark.parametrize(
    ("baseline", "tuned", "message"),
    [
        (
            {"a": RIGHT},
            {"a": RIGHT, "b": RIGHT},
            "the baseline model has no score for 1 of 2 probes, the first of them 'b'",
        ),
        (
            {"a": RIGHT, "b": RIGHT},
            {},
            "the tuned model has no score for 2 of 2 probes, the first of them 'a'",
        ),
        (None, {"b": RIGHT}, "the tuned model has no score for 1 of 2 probes, the first of them 'a'"),
    ],
)
def test_a_score_that_is_missing_is_an_error(baseline, tuned, message):
    with pytest.raises(NoEvidenceError, match=f"^{message}$"):
        pair([probe("a"), probe("b")], baseline, tuned)


def test_compare_counts():
    sides = [(RIGHT, RIGHT), (RIGHT, WRONG), (RIGHT, WRONG), (WRONG, RIGHT), (WRONG, WRONG)]
    found = compare([Pair(probe("a"), before, after) for before, after in sides])
    assert (found.kept, found.lost, found.gained, found.missed, found.n) == (1, 2, 1, 1, 5)
    assert (found.baseline_right, found.baseline_accuracy, found.tuned_accuracy) == (3, 0.6, 0.4)
    assert found.drop == pytest.approx(0.2)
    assert found.interval == tango_interval(2, 1, 5)
    assert found.mid_p == mcnemar_mid_p(2, 1)


def test_nothing_to_compare_is_an_error():
    with pytest.raises(NoEvidenceError, match="no probes: nothing follows from an empty comparison"):
        compare([])
    with pytest.raises(NoEvidenceError, match="no probes"):
        comparison(0, 0, 0, 0)
    with pytest.raises(NoEvidenceError, match="the baseline was not asked, so there is nothing to compare"):
        compare([Pair(probe("a"), RIGHT, RIGHT), Pair(probe("b"), None, RIGHT)])


@settings(max_examples=100, deadline=None)
@given(st.tuples(*[st.integers(0, 50)] * 4).filter(any))
def test_rates_agree(counts):
    found = comparison(*counts)
    assert found.drop == pytest.approx(found.baseline_accuracy - found.tuned_accuracy)
    assert found.interval[0] <= found.drop <= found.interval[1]
    assert found.interval[0] < found.interval[1]


def test_a_model_against_itself_drops_nothing():
    found = compare([Pair(probe("a"), RIGHT, RIGHT)] * 20)
    assert found.drop == 0
    assert found.interval == pytest.approx((-0.1191578, 0.1191578), abs=1e-6)
    assert found.mid_p == 0.5
