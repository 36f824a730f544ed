"""The order of a ladder: drops count unless a recipe is shown to have learnt less, and nothing learnt is no ranking."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import NoEvidenceError
from harness.gate.pooling import Unit
from harness.stats.paired import CONFIDENCE, ROUNDING, tango_interval
from harness.sweep.ranking import RecipeResult, Standing, pareto_optimal, rank, reference

PROBES = 1000
"""Of the target: so many that little is left in doubt."""


def rung(
    name: str,
    gain: float,
    drop: float,
    seconds: float | None = 60.0,
    reach: float = 0.05,
    ranking_drop: float | None = None,
) -> RecipeResult:
    """Right on the first so many probes; a recipe that gains more is right wherever one that gains less is."""
    target = [[probe < gain * PROBES for probe in range(PROBES)]]
    by = drop if ranking_drop is None else ranking_drop
    return RecipeResult(name, gain, (gain - reach, gain + reach), drop, by, target, seconds)


def answered(name: str, *runs: list[bool], drop: float = 0.1) -> RecipeResult:
    gain = float(np.mean(runs))
    return RecipeResult(name, gain, (gain - 0.05, gain + 0.05), drop, drop, runs, None)


def ranked(rungs: list[RecipeResult], share: float = 0.9, cluster: int = 1) -> list[Standing]:
    """Ranked, where so many target probes in a row go together."""
    n = len(rungs[0].target[0]) if rungs else 0
    return rank(rungs, [Unit("target", f"t{probe // cluster}") for probe in range(n)], share)


def order(rungs: list[RecipeResult], share: float = 0.9) -> list[tuple[str, int | None]]:
    return [(place.result.name, place.rank) for place in ranked(rungs, share)]


def learning(rungs: list[RecipeResult], share: float = 0.9) -> dict[str, str | None]:
    return {place.result.name: place.learning for place in ranked(rungs, share)}


def test_those_that_did_not_learn_less_come_first_by_drop():
    rungs = [
        rung("careless", 1.0, 0.5),
        rung("idle", 0.1, 0.0),
        rung("half", 0.5, 0.01),
        rung("good", 0.95, 0.02),
        rung("fair", 0.92, 0.2),
    ]
    assert order(rungs) == [("good", 1), ("fair", 2), ("careless", 3), ("half", None), ("idle", None)]


def test_the_order_is_that_of_the_probes_that_decide():
    rungs = [rung("lucky", 1.0, 0.10, ranking_drop=0.3), rung("steady", 1.0, 0.12, ranking_drop=0.2)]
    assert order(rungs) == [("steady", 1), ("lucky", 2)]
    assert {place.result.name for place in ranked(rungs, 0.9) if place.pareto_optimal} == {"lucky"}


def nested(right: int, n: int) -> list[bool]:
    return [probe < right for probe in range(n)]


@pytest.mark.parametrize("n", [40, 100, 200])
@pytest.mark.parametrize("recipes", [2, 7])
def test_less_matched_or_not_to_be_told_by_the_interval_of_the_shortfall(n, recipes):
    """The recipe is right on a part of the best's probes; the rest are its equals, who only count as comparisons."""
    best = round(0.8 * n)
    tolerance = 0.1 * best / n + ROUNDING
    seen = set()
    for right in range(best, 0, -1):
        given_up = best - right
        for_all = 1 - (1 - CONFIDENCE) / (recipes - 1)
        if tango_interval(given_up, 0, n, for_all)[0] > tolerance:
            expected = "less"
        else:
            within = tango_interval(given_up, 0, n)[1] <= tolerance
            expected = "matched" if within else "cannot be told"
        others = [answered(f"other-{place}", nested(best, n)) for place in range(recipes - 2)]
        found = learning([answered("best", nested(best, n)), answered("it", nested(right, n)), *others])
        assert (found["best"], found["it"]) == ("matched", expected)
        seen.add(expected)
    assert seen == {"less", "matched", "cannot be told"}


def test_more_recipes_make_it_harder_to_be_called_less():
    best, short = answered("best", nested(80, 100)), answered("short", nested(65, 100))
    assert learning([best, short])["short"] == "less"
    others = [answered(f"other-{place}", nested(80, 100)) for place in range(12)]
    assert learning([best, short, *others])["short"] == "cannot be told"
    assert dict(order([best, short, *others]))["short"] == 14, (
        "what cannot be told stays ranked, here last by gain"
    )


def test_the_same_gains_may_differ_by_few_answers_or_by_many():
    """Gains of 78 and 70 of 100: either all 70 are among the 78, or each is right where the other is not."""
    best = answered("best", nested(78, 100))
    among, apart = answered("it", nested(70, 100)), answered("it", [probe >= 30 for probe in range(100)])
    assert among.gain == apart.gain
    assert learning([best, among], share=1.0)["it"] == "less"
    assert learning([best, apart], share=1.0)["it"] == "cannot be told"


def test_probes_that_go_together_leave_more_in_doubt():
    rungs = [answered("best", nested(80, 100)), answered("short", nested(65, 100))]
    assert {place.result.name: place.learning for place in ranked(rungs)}["short"] == "less"
    found = {place.result.name: place.learning for place in ranked(rungs, cluster=10)}
    assert found["short"] == "cannot be told"


def test_seeds_that_differ_leave_more_in_doubt():
    alike = [answered("best", *[nested(80, 100)] * 3), answered("it", *[nested(55, 100)] * 3)]
    assert learning(alike)["it"] == "less"
    apart = [
        answered("best", *[nested(80, 100)] * 3),
        answered("it", *(nested(n, 100) for n in (20, 65, 80))),
    ]
    assert learning(apart)["it"] == "cannot be told"


def test_seven_equals_are_seldom_ranked_out():
    """A cut at nine tenths of the best gain would rank one of them out in most ladders."""
    draws = np.random.default_rng(5)
    ladders = [draws.random((7, 73)) < 0.6 for _ in range(100)]
    found = [
        set(learning([answered(str(place), run.tolist()) for place, run in enumerate(right)]).values())
        for right in ladders
    ]
    assert sum("less" in seen for seen in found) <= 5
    assert sum(right.mean(1).min() < 0.9 * right.mean(1).max() for right in ladders) > 50


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
        ranked(rungs, 0.9)
    assert str(caught.value) == message


def test_the_reference_is_the_most_forgetful_of_those_that_learnt():
    rungs = [rung("good", 1.0, 0.0), rung("bad", 0.4, 0.3), rung("broken", 0.01, 0.6)]
    places = ranked(rungs, 0.9)
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
    assert {place.result.name for place in ranked(rungs, 0.9) if place.pareto_optimal} == {"a", "b", "d", "e"}


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
