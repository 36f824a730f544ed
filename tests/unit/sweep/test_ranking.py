"""The order of a ladder: drops count only among those that learnt as much, and nothing learnt is no ranking."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import NoEvidenceError
from harness.sweep.ranking import RecipeResult, pareto_optimal, rank, reference


def rung(
    name: str, gain: float, drop: float, seconds: float | None = 60.0, reach: float = 0.05
) -> RecipeResult:
    return RecipeResult(name, gain, (gain - reach, gain + reach), drop, seconds)


def order(rungs: list[RecipeResult], share: float = 0.9) -> list[tuple[str, int | None]]:
    return [(place.result.name, place.rank) for place in rank(rungs, share)]


def test_the_matched_come_first_by_drop_and_then_those_that_learnt_most():
    rungs = [
        rung("careless", 1.0, 0.5),
        rung("idle", 0.1, 0.0),
        rung("half", 0.5, 0.01),
        rung("good", 0.95, 0.02),
        rung("fair", 0.92, 0.2),
    ]
    assert order(rungs) == [("good", 1), ("fair", 2), ("careless", 3), ("half", None), ("idle", None)]


def test_a_gain_at_the_share_is_matched():
    rungs = [rung("best", 0.3, 0.5), rung("at", 0.9 * 0.3, 0.1), rung("under", 0.9 * 0.3 - 1e-6, 0.1)]
    assert order(rungs) == [("at", 1), ("best", 2), ("under", None)]
    assert order(rungs, share=1.0) == [("best", 1), ("at", None), ("under", None)]


def test_nine_of_thirteen_are_nine_tenths_of_ten_of_thirteen():
    """In binary, 0.9 * (10 / 13) is a little more than 9 / 13."""
    assert order([rung("best", 10 / 13, 0.5), rung("at", 9 / 13, 0.1)]) == [("at", 1), ("best", 2)]


def test_ties_go_by_gain_and_then_by_seconds():
    rungs = [
        rung("unknown", 0.95, 0.1, None),
        rung("slow", 0.95, 0.1, 90),
        rung("quick", 0.95, 0.1, 30),
        rung("more", 1.0, 0.1, 500),
    ]
    assert [name for name, _ in order(rungs)] == ["more", "quick", "slow", "unknown"]


@pytest.mark.parametrize(
    ("rungs", "message"),
    [
        ([], "no recipe could be measured, so none can be ranked"),
        (
            [rung("a", -0.02, 0.0), rung("b", 0.0, 0.0)],
            "no ranking is possible: no recipe has shown to learn its target task; the largest gain is 0.0 points "
            "('b', 90 % interval -5.0 to 5.0)\n  train longer or at a higher rate, or give the target suite more probes",
        ),
        (
            [rung("a", 0.05, 0.0), rung("b", 0.02, 0.0)],
            "no ranking is possible: no recipe has shown to learn its target task; the largest gain is 5.0 points "
            "('a', 90 % interval 0.0 to 10.0)\n  train longer or at a higher rate, or give the target suite more probes",
        ),
    ],
)
def test_nothing_learnt_is_no_ranking(rungs, message):
    with pytest.raises(NoEvidenceError) as caught:
        rank(rungs, 0.9)
    assert str(caught.value) == message


def test_the_reference_is_the_most_forgetful_of_those_that_learnt():
    rungs = [rung("good", 1.0, 0.0), rung("bad", 0.4, 0.3), rung("broken", 0.01, 0.6)]
    places = rank(rungs, 0.9)
    assert {place.result.name: place.learnt for place in places} == {
        "good": True,
        "bad": True,
        "broken": False,
    }
    assert reference(places).name == "bad"


def test_the_front():
    rungs = [
        rung("a", 1.0, 0.5),
        rung("b", 0.9, 0.1),
        rung("c", 0.9, 0.2),
        rung("d", 0.5, 0.0),
        rung("e", 0.9, 0.1),
    ]
    assert pareto_optimal(rungs) == {"a", "b", "d", "e"}
    assert {place.result.name for place in rank(rungs, 0.9) if place.pareto_optimal} == {"a", "b", "d", "e"}


VALUES = st.integers(-2, 4).map(lambda value: value / 4)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=8))
def test_the_front_by_brute_force(measured):
    rungs = [rung(str(place), gain, drop) for place, (gain, drop) in enumerate(measured)]
    expected = set()
    for one in rungs:
        beaten = False
        for other in rungs:
            if (other.gain > one.gain and other.drop <= one.drop) or (
                other.gain >= one.gain and other.drop < one.drop
            ):
                beaten = True
        if not beaten:
            expected.add(one.name)
    assert pareto_optimal(rungs) == expected
    assert expected
