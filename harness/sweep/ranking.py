"""Gains and drops of several recipes in; their order by drop at matched gain, and the Pareto front, out.

A recipe that hardly learns forgets little, so drops are compared among those that have learnt about as much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import NoEvidenceError
from harness.reporting.explain import INTERVAL
from harness.stats.paired import ROUNDING
from harness.wording import tenths


@dataclass(frozen=True)
class RecipeResult:
    """One recipe as measured. Rates are fractions; `seconds` of training is None if unknown."""

    name: str
    gain: float
    gain_interval: tuple[float, float]
    drop: float
    seconds: float | None = None


@dataclass(frozen=True)
class Standing:
    """The place of a recipe in a ranking.

    Attributes:
        rank: from 1 among the matched; None for a recipe that learnt less.
        learnt: its gain's interval lies above 0.
        pareto_optimal: no other recipe learnt as much and lost as little, and one of the two strictly better.
    """

    result: RecipeResult
    rank: int | None
    learnt: bool
    pareto_optimal: bool


def rank(results: Sequence[RecipeResult], share: float) -> list[Standing]:
    """The matched recipes by drop (then gain, then seconds), after them the others, those that learnt most first.

    Args:
        share: a recipe is matched, so that its drop is compared, if its gain is at least this share of the largest gain,
            in (0, 1].

    Raises:
        NoEvidenceError: there is no recipe, or none of them has shown to learn anything.
    """
    if not results:
        raise NoEvidenceError("no recipe could be measured, so none can be ranked")
    best = max(results, key=lambda result: result.gain)
    low, high = best.gain_interval
    if best.gain <= 0 or low <= 0:
        raise NoEvidenceError(
            "no ranking is possible: no recipe has shown to learn its target task; the largest gain is "
            f"{tenths(best.gain)} points ('{best.name}', {INTERVAL} {tenths(low)} to {tenths(high)})\n"
            "  train longer or at a higher rate, or give the target suite more probes"
        )
    enough = share * best.gain - ROUNDING

    def order(result: RecipeResult) -> tuple[bool, float, float, float]:
        matched, seconds = result.gain >= enough, math.inf if result.seconds is None else result.seconds
        first, second = (result.drop, -result.gain) if matched else (-result.gain, result.drop)
        return not matched, first, second, seconds

    best_names = pareto_optimal(results)
    return [
        Standing(
            result,
            rank=place if result.gain >= enough else None,
            learnt=result.gain_interval[0] > 0,
            pareto_optimal=result.name in best_names,
        )
        for place, result in enumerate(sorted(results, key=order), start=1)
    ]


def pareto_optimal(results: Sequence[RecipeResult]) -> set[str]:
    """The names of the recipes on the Pareto front: no other beats them in gain or drop and equals them in the other."""
    return {result.name for result in results if not any(_beats(other, result) for other in results)}


def _beats(result: RecipeResult, other: RecipeResult) -> bool:
    as_good = result.gain >= other.gain and result.drop <= other.drop
    return as_good and (result.gain > other.gain or result.drop < other.drop)


def reference(standings: Sequence[Standing]) -> RecipeResult:
    """The recipe that the others are compared with: of those that learnt, the one that lost most.

    `standings` come from `rank`, which refuses recipes none of which has learnt.
    """
    learnt = [standing.result for standing in standings if standing.learnt]
    return max(learnt, key=lambda result: (result.drop, result.gain))
