"""Which candidates a search tries, by a made-up curve of gain and drop; and which of them it chooses."""

from __future__ import annotations

import pytest

from harness.gate.compare import Pair
from harness.repair.measure import Measured
from harness.repair.search import COARSE, BudgetUsedError, Candidate, Search, Tried, choose
from harness.scoring import SCORERS
from harness.scoring.score import Score
from harness.suites.suite import Probe
from harness.training.edits.edit import EMBEDDINGS, but, evenly

GROUPS = ("layers 0-9", "layers 10-19")
N = 100


def measured(gain: float, drop: float, together: int = 1) -> Measured:
    """The first probes are learnt, and the first of the general ones lost; so many in a row share a template."""
    target = [pair(i, False, i < gain * N, together) for i in range(N)]
    general = {("general", f"p{i}"): pair(i, True, i >= drop * N, together) for i in range(N)}
    return Measured(target, general)


def pair(i: int, before: bool, after: bool, together: int) -> Pair:
    probe = Probe(f"p{i}", SCORERS["equals"](), cluster=f"t{i // together}")
    return Pair(probe, Score(before, ""), Score(after, ""))


def of_curve(gain_from: float, loss_from: float, log: list[Candidate] | None = None, most: int | None = None):
    """All is learnt from one strength on, of all groups together, and all lost from another."""

    def measure(candidate: Candidate) -> Tried:
        if most is not None and log is not None and len(log) >= most:
            raise BudgetUsedError
        if log is not None:
            log.append(candidate)
        strength = sum(value for _, value in candidate.edit.strengths) / len(candidate.edit.strengths)
        gain, drop = float(strength >= gain_from), float(strength >= loss_from)
        standing = "gain gone" if not gain else "fails" if drop else "passes"
        return Tried(candidate, standing, Rated(measured(gain, drop), drop), 1.0)

    return measure


class Rated(Measured):
    """With a drop, which is otherwise that of the gate."""

    def __init__(self, found: Measured, drop: float) -> None:
        super().__init__(found.target, found.general)
        object.__setattr__(self, "rated", drop)

    @property
    def drop(self) -> float:
        return self.rated


def strengths(log: list[Candidate]) -> list[float]:
    return [candidate.edit.strengths[0][1] for candidate in log if candidate.edit.complexity < 2]


def tried(gain: float, drop: float, edit=None, standing="passes", form="adapter", together=1) -> Tried:
    found = Rated(measured(gain, drop, together), drop)
    return Tried(Candidate(form, edit or evenly(GROUPS, gain)), standing, found, 1.0)


def test_strengths_go_down_until_the_gain_is_gone_and_then_to_the_middle():
    log: list[Candidate] = []
    Search(GROUPS, "adapter", lambda: None, of_curve(0.3, 0.45, log)).strengths()
    assert strengths(log) == [1.0, 0.5, 0.25, 0.375, 0.4375, 0.3125]


def test_below_the_coarse_grid_is_searched_too():
    log: list[Candidate] = []
    Search(GROUPS, "adapter", lambda: None, of_curve(0.05, 0.1, log)).strengths()
    assert strengths(log)[: 1 + len(COARSE)] == [1.0, *COARSE]
    assert 0.0625 in strengths(log)  # between the lowest of the grid and the baseline


def test_nothing_is_tried_twice_and_each_group_is_tried_alone():
    log: list[Candidate] = []
    search = Search((EMBEDDINGS, *GROUPS), "adapter", lambda: None, of_curve(0.2, 0.6, log))
    search.run()
    assert len(log) == len(set(log))
    names = [str(candidate.edit) for candidate in log]
    assert "strength 1, embeddings at 0" in names
    assert any("layers 0-9 at 0" in name for name in names)
    assert any("layers 10-19 at 0" in name for name in names)


def test_pruned_candidates_are_full_models_and_stop_where_the_gain_is_gone():
    log: list[Candidate] = []

    def measure(candidate: Candidate) -> Tried:
        log.append(candidate)
        if candidate.edit.pruning is None:
            return of_curve(0.2, 0.6)(candidate)
        standing = "gain gone" if candidate.edit.pruning == "magnitude" else "passes"
        return Tried(candidate, standing, Rated(measured(1.0, 0.0), 0.0), 1.0)

    Search(GROUPS, "adapter", lambda: GROUPS, measure).run()
    pruned = [candidate for candidate in log if candidate.edit.pruning]
    assert {candidate.form for candidate in pruned} == {"full"}
    assert [str(candidate.edit) for candidate in pruned] == [
        "forgetting-aware 10 %",
        "magnitude 20 %",
        "magnitude 50 %",
    ]


def test_what_was_tried_before_the_budget_ended_is_kept():
    search = Search(GROUPS, "adapter", lambda: None, of_curve(0.3, 0.45, log := [], most=3))
    with pytest.raises(BudgetUsedError):
        search.run()
    assert len(search.tried) == len(log) == 3


# The choice


def test_none_is_chosen_if_none_passes():
    assert choose([tried(1.0, 0.5, standing="fails"), tried(0.1, 0.0, standing="gain gone")]) is None


def test_a_clearly_better_score_wins():
    best = tried(0.9, 0.01)
    assert choose([tried(0.5, 0.0), best, tried(1.0, 0.5, standing="fails")]) is best


def test_probes_of_one_template_make_a_score_less_clearly_better():
    simple, best = tried(0.8, 0.0), tried(0.9, 0.0, but(evenly(GROUPS, 0.5), **{"layers 0-9": 0.0}))
    assert choose([simple, best]) is best
    simple, best = tried(0.8, 0.0, together=20), tried(0.9, 0.0, best.candidate.edit, together=20)
    assert choose([simple, best]) is simple


def test_of_those_that_are_as_good_the_one_that_lost_least_is_taken():
    careful = tried(0.90, 0.00)
    assert choose([tried(0.92, 0.01), careful]) is careful


def test_of_those_that_are_as_good_the_simplest_kind_is_taken():
    by_group = tried(0.9, 0.0, but(evenly(GROUPS, 0.5), **{"layers 0-9": 0.0}))
    pruned = tried(0.9, 0.0, evenly(GROUPS, 1.0, pruning="magnitude", keep=0.2), form="full")
    plain = tried(0.9, 0.0)
    assert choose([pruned, by_group, plain]) is plain
    assert choose([pruned, by_group]) is by_group
