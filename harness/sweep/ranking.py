"""Gains and drops of several recipes in; their order by drop at matched gain, and the Pareto front, out.

A recipe that hardly learns forgets little, so drops are compared among those that have learnt about as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import NoEvidenceError
from harness.reporting.explain import INTERVAL
from harness.stats.paired import ROUNDING
from harness.wording import tenths


@dataclass(frozen=True)
class RecipeResult:
    """One recipe as measured. Rates are fractions; `seconds` of training is None where it is not known."""

    name: str
    gain: float
    gain_interval: tuple[float, float]
    drop: float
    seconds: float | None = None


@dataclass(frozen=True)
class Standing:
    """Where a rung stands.

    Attributes:
        rank: from 1 among the matched; None for a rung that learnt less.
        learnt: its gain's interval lies above 0.
        pareto_optimal: no other recipe learnt as much and lost as little, and one of the two strictly better.
    """

    rung: RecipeResult
    rank: int | None
    learnt: bool
    pareto_optimal: bool

    @property
    def matched(self) -> bool:
        """Whether it learnt so much that its drop may be compared."""
        return self.rank is not None


def rank(rungs: Sequence[RecipeResult], share: float) -> list[Standing]:
    """The matched rungs by drop (then gain, then seconds), after them the others, those that learnt most first.

    Args:
        share: a rung is matched if its gain is at least this share of the largest gain, in (0, 1].

    Raises:
        NoEvidenceError: there is no rung, or none of them has shown to learn anything.
    """
    if not rungs:
        raise NoEvidenceError("no recipe could be measured, so none can be ranked")
    best = max(rungs, key=lambda rung: rung.gain)
    low, high = best.gain_interval
    if best.gain <= 0 or low <= 0:
        raise NoEvidenceError(
            "no ranking is possible: no recipe has shown to learn its target task; the largest gain is "
            f"{tenths(best.gain)} points ('{best.name}', {INTERVAL} {tenths(low)} to {tenths(high)})\n"
            "  train longer or at a higher rate, or give the target suite more probes"
        )
    enough = share * best.gain - ROUNDING
    matched = sorted(
        (rung for rung in rungs if rung.gain >= enough),
        key=lambda rung: (rung.drop, -rung.gain, _seconds(rung)),
    )
    rest = sorted(
        (rung for rung in rungs if rung.gain < enough),
        key=lambda rung: (-rung.gain, rung.drop, _seconds(rung)),
    )
    edge = pareto_optimal(rungs)
    return [
        Standing(
            rung,
            rank=place if place <= len(matched) else None,
            learnt=rung.gain_interval[0] > 0,
            pareto_optimal=rung.name in edge,
        )
        for place, rung in enumerate((*matched, *rest), start=1)
    ]


def pareto_optimal(rungs: Sequence[RecipeResult]) -> set[str]:
    """The names of the rungs on the Pareto front: none is beaten in gain or drop without being better in the other."""
    return {rung.name for rung in rungs if not any(_beats(other, rung) for other in rungs)}


def _beats(one: RecipeResult, other: RecipeResult) -> bool:
    as_good = one.gain >= other.gain and one.drop <= other.drop
    return as_good and (one.gain > other.gain or one.drop < other.drop)


def reference(places: Sequence[Standing]) -> RecipeResult:
    """The rung that others are held against: of those that learnt, the one that lost most.

    `places` come from `rank`, which lets none pass in which nobody learnt.
    """
    return max((place.rung for place in places if place.learnt), key=lambda rung: (rung.drop, rung.gain))


def _seconds(rung: RecipeResult) -> float:
    return float("inf") if rung.seconds is None else rung.seconds
