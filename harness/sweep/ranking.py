"""Gains and drops of several recipes in; their order by drop at matched gain, and the Pareto front, out.

A recipe that hardly learns forgets little, so a recipe that is shown to have learnt less is not ranked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.errors import NoEvidenceError
from harness.gate.pooling import Unit, pool
from harness.reporting.explain import INTERVAL
from harness.stats.paired import CONFIDENCE, ROUNDING
from harness.wording import tenths

Learning = Literal["matched", "less", "cannot be told"]
"""How a recipe's gain compares with the largest one."""


@dataclass(frozen=True)
class RecipeResult:
    """One recipe as measured. Rates are fractions; `seconds` of training is None if unknown.

    Attributes:
        drop: over all general probes.
        ranking_drop: over those general probes that decide the order.
        target: for each seed, whether each target probe was right; the same probes for all recipes.
    """

    name: str
    gain: float
    gain_interval: tuple[float, float]
    drop: float
    ranking_drop: float
    target: Sequence[Sequence[bool]]
    seconds: float | None = None


@dataclass(frozen=True)
class Standing:
    """The place of a recipe in a ranking.

    Attributes:
        rank: from 1 among the matched and those of which it cannot be told; None for a recipe that learnt less.
        learnt: its gain's interval lies above 0.
        pareto_optimal: no other recipe learnt as much and lost as little, and one of the two strictly better.
    """

    result: RecipeResult
    rank: int | None
    learning: Learning | None
    learnt: bool
    pareto_optimal: bool


def rank(results: Sequence[RecipeResult], units: Sequence[Unit], share: float) -> list[Standing]:
    """The recipes by `ranking_drop` (then gain, then seconds), after them those that learnt less, the largest gain first.

    Args:
        units: what each target probe goes together with.
        share: a recipe has learnt less if its gain is shown to be below this share of the largest gain, in (0, 1].

    Raises:
        NoEvidenceError: there is no recipe, or none of them has shown to learn anything.
    """
    if not results:
        raise NoEvidenceError("no recipe could be measured, so none can be ranked")
    best = max(results, key=lambda result: (result.gain, result.name))  # in whatever order they come
    low, high = best.gain_interval
    if best.gain <= 0 or low <= 0:
        raise NoEvidenceError(
            "no ranking is possible: no recipe has shown to learn its target task; the largest gain is "
            f"{tenths(best.gain)} points ('{best.name}', {INTERVAL} {tenths(low)} to {tenths(high)})\n"
            "  train longer or at a higher rate, or give the target suite more probes"
        )
    learning = {result.name: _learning(best, result, units, share, len(results)) for result in results}

    def order(result: RecipeResult) -> tuple[bool, float, float, float]:
        less = learning[result.name] == "less"
        first, second = (-result.gain, result.drop) if less else (result.ranking_drop, -result.gain)
        seconds = math.inf if result.seconds is None else result.seconds
        return less, first, second, seconds

    best_names = pareto_optimal(results)
    return [
        Standing(
            result,
            rank=None if learning[result.name] == "less" else place,
            learning=learning[result.name],
            learnt=result.gain_interval[0] > 0,
            pareto_optimal=result.name in best_names,
        )
        for place, result in enumerate(sorted(results, key=order), start=1)
    ]


def _learning(
    best: RecipeResult, result: RecipeResult, units: Sequence[Unit], share: float, recipes: int
) -> Learning:
    """Compare a recipe's shortfall, probe by probe, with the tolerance of (1 - share) times the best gain.

    It is less if the whole interval of the shortfall is above the tolerance. `best` is the largest of k gains, so it may be
    the luckiest: each of its k - 1 comparisons gets that part of the error (Bonferroni), and the recipe that is truly best
    is called less in at most 5 % of ladders, whichever came out first (as in Hsu 1984, Annals of Statistics 12, 1136-1144).
    It is matched if the shortfall is at most the tolerance by the usual interval, which a lucky best makes harder.
    """
    if result is best:
        return "matched"
    tolerance = (1 - share) * best.gain + ROUNDING
    for_all = 1 - (1 - CONFIDENCE) / (recipes - 1)
    if pool(units, best.target, result.target, for_all).interval[0] > tolerance:
        return "less"
    matched = pool(units, best.target, result.target).interval[1] <= tolerance
    return "matched" if matched else "cannot be told"


def pareto_optimal(results: Sequence[RecipeResult]) -> set[str]:
    """The names of the recipes on the Pareto front."""
    return pareto_front({result.name: (result.gain, result.drop) for result in results})


def pareto_front(points: Mapping[str, tuple[float, float]]) -> set[str]:
    """The names of gains and drops that no other is as good as in both, and better than in one."""
    return {
        name
        for name, (gain, drop) in points.items()
        if not any(
            more >= gain and less <= drop and (more, less) != (gain, drop) for more, less in points.values()
        )
    }


def reference(standings: Sequence[Standing]) -> RecipeResult:
    """The recipe that the others are compared with: of those that learnt, the one that lost most.

    `standings` come from `rank`, which refuses recipes none of which has learnt.
    """
    learnt = [standing.result for standing in standings if standing.learnt]
    return max(learnt, key=lambda result: (result.drop, result.gain))
