"""Candidates in the order of their promise in, those worth a trial measured, and the one to confirm out.

Strengths come first, from a coarse grid to the middle between neighbours; then strengths by group, and pruning last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.gate.compare import Pair
from harness.gate.pooling import Unit, pool
from harness.repair.measure import Measured
from harness.repair.record import Standing
from harness.training.edits.edit import EMBEDDINGS, Edit, Form, Pruning, but, evenly

COARSE = (0.5, 0.25, 0.125)
"""The strengths to try first, from the largest."""

ROUNDS = 3
"""How often the strengths beside the best are tried."""

CLOSEST = 1 / 8
"""Of a strength; others that differ by less are not worth a trial."""

PRUNINGS: Sequence[tuple[Pruning, float]] = (("forgetting-aware", 0.1), ("magnitude", 0.2))
"""What the papers keep of the changes: a tenth for FAPM, a fifth for TIES."""

EXPECTED = 18
"""About how many candidates a search tries, to tell how long it takes."""


@dataclass(frozen=True)
class Candidate:
    """An edit, as an adapter or as a full model."""

    form: Form
    edit: Edit


@dataclass(frozen=True)
class Tried:
    """A candidate and what the selection probes say of it."""

    candidate: Candidate
    standing: Standing
    measured: Measured
    seconds: float

    @property
    def score(self) -> float:
        """The gain less the drop, in fractions; -1 where the gain is gone."""
        if self.standing == "gain gone":
            return -1.0
        return self.measured.gain - max(self.measured.drop or 0.0, 0.0)

    @property
    def passes(self) -> bool:
        return self.standing == "passes"


class BudgetUsedError(Exception):
    """There is no time for another candidate."""


class Search:
    """Tries candidates.

    Args:
        groups: the groups whose strengths can change.
        form: of the candidates that are not pruned.
        pruned: the groups of the pruned ones, which are full models; None if nothing is pruned.
        measure: tries one candidate; raises BudgetUsedError.
    """

    def __init__(
        self,
        groups: Sequence[str],
        form: Form,
        pruned: Callable[[], Sequence[str] | None],
        measure: Callable[[Candidate], Tried],
    ) -> None:
        self.groups, self.form, self.pruned, self.measure = groups, form, pruned, measure
        self.tried: dict[Candidate, Tried] = {}

    @property
    def reference(self) -> Edit:
        """The tuned model as it is."""
        return evenly(self.groups, 1.0)

    def run(self) -> None:
        """Try all candidates; those before a BudgetUsedError, which is raised, are in `tried`."""
        self.strengths()
        for edit in self.by_group(self.best_strength()):
            self.one(edit)
        self.prune(self.best_strength())

    def one(self, edit: Edit, form: Form | None = None) -> Tried:
        """Try a candidate, unless it was tried."""
        candidate = Candidate(form or self.form, edit)
        if candidate not in self.tried:
            self.tried[candidate] = self.measure(candidate)
        return self.tried[candidate]

    def strengths(self) -> None:
        """One strength for all groups; those below one whose gain is gone are not tried."""
        tried = {1.0: self.one(self.reference)}
        for strength in COARSE:
            tried[strength] = self.one(evenly(self.groups, strength))
            if tried[strength].standing == "gain gone":
                break
        for _ in range(ROUNDS):
            best = _best(tried)
            for strength in _beside(best, [0.0, *tried], up=tried[best].passes):
                tried[strength] = self.one(evenly(self.groups, strength))

    def best_strength(self) -> float:
        """The one strength of the best candidate so far that has just one."""
        of_one = (
            (candidate.edit, tried)
            for candidate, tried in self.tried.items()
            if candidate.edit.complexity < 2
        )
        return _best({edit.strengths[0][1]: tried for edit, tried in of_one})

    def by_group(self, strength: float) -> Iterator[Edit]:
        """Around one strength: without the embeddings' changes, and each group of layers without its own, or with more."""
        layers = [group for group in self.groups if group != EMBEDDINGS]
        if EMBEDDINGS in self.groups and layers:
            yield but(evenly(self.groups, 1.0), **{EMBEDDINGS: 0.0})
            yield but(evenly(self.groups, strength), **{EMBEDDINGS: 0.0})
        if len(layers) > 1:
            for group in layers:
                yield but(evenly(self.groups, strength), **{group: 0.0})
                yield but(evenly(self.groups, round(strength / 2, 4)), **{group: min(1.0, 2 * strength)})

    def prune(self, strength: float) -> None:
        """Prune at full strength; where too much is lost then, at a lower one, and where the gain is gone, less."""
        if (groups := self.pruned()) is None:
            return
        for pruning, keep in PRUNINGS:
            full = evenly(groups, 1.0, pruning=pruning, keep=keep)
            first = self.one(full, "full")
            if first.standing == "gain gone":
                self.one(replace(full, keep=min(0.5, 2.5 * keep)), "full")
            elif not first.passes:
                self.one(evenly(groups, min(0.75, 1.5 * strength), pruning=pruning, keep=keep), "full")
                self.one(replace(full, keep=keep / 2), "full")


def _best(tried: Mapping[float, Tried]) -> float:
    """The best of some strengths; of equal ones the lowest, which is nearer to one that loses less."""
    return max(tried, key=lambda strength: (tried[strength].passes, tried[strength].score, -strength))


def _beside(best: float, strengths: Sequence[float], *, up: bool) -> Iterator[float]:
    """The middles between a strength and its neighbours that are not too close; 0 is the baseline, which is known.

    Args:
        up: whether a larger strength may do; where the best loses too much, none does.
    """
    below = max((strength for strength in strengths if strength < best), default=best)
    above = min((strength for strength in strengths if strength > best), default=best)
    for middle in ((best + above) / 2, (best + below) / 2)[0 if up else 1 :]:
        if abs(middle - best) >= CLOSEST * best:
            yield round(middle, 4)


# The choice


def choose(tried: Sequence[Tried]) -> Tried | None:
    """The candidate to confirm; None if none passes.

    Of those that pass, the best has the largest gain less drop. Scores of a few dozen probes are rough, and the best of many
    flatters itself, so all whose score is not one standard error below it are as good: of these, an edit of the simplest kind
    is taken, and the one that lost least (the rule of one standard error of Breiman et al. 1984, Classification and Regression
    Trees, with the error of the difference over the same probes).
    """
    passing = [each for each in tried if each.passes]
    if not passing:
        return None
    best = max(passing, key=lambda each: each.score)
    as_good = [each for each in passing if best.score - each.score <= error_of_difference(best, each)]

    def order(each: Tried) -> tuple[int, float, float]:
        candidate = each.candidate
        return candidate.edit.complexity, each.measured.drop or 0.0, -each.score

    return min(as_good, key=order)


def error_of_difference(left: Tried, right: Tried) -> float:
    """The standard error of the difference of two scores over the same probes: sqrt(var_target + var_general)."""
    both = [key for key in left.measured.general if key in right.measured.general]
    target = _error(["target"] * len(left.measured.target), left.measured.target, right.measured.target)
    general = _error(
        [suite for suite, _ in both],
        *([each.measured.general[key] for key in both] for each in (left, right)),
    )
    return math.hypot(target, general)


def _error(suites: Sequence[str], left: Sequence[Pair], right: Sequence[Pair]) -> float:
    """The standard error of the difference of two tuned models' accuracies over some probes; 0 without any."""
    if not suites:
        return 0.0
    units = [Unit(suite, pair.probe.cluster) for suite, pair in zip(suites, left, strict=True)]
    first, second = ([pair.tuned.right for pair in side] for side in (left, right))
    return pool(units, [first], [second]).error
