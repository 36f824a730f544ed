"""The answers of a sequence in, its matrix of accuracies and the measures of forgetting and transfer out, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.gate.compare import compare, pair, pooled
from harness.scoring.score import Score
from harness.sequence.record import MeasureRow, RateRow
from harness.stats.linear import Estimate, combined
from harness.stats.rates import rate_interval
from harness.stats.sequences import (
    Matrix,
    Term,
    average_accuracy,
    backward_transfer,
    forgetting,
    forward_transfer,
)
from harness.sweep.schedule import AskedSuite

Scores = Sequence[Mapping[str, Mapping[str, Score]]]
"""Of each row of the matrix, the scores of each suite by its name, by the ids of probes."""

MEASURES: Mapping[str, Callable[[Matrix], list[Term]]] = {
    "average accuracy": average_accuracy,
    "backward transfer": backward_transfer,
    "forgetting": forgetting,
    "forward transfer": forward_transfer,
}


def matrix_of(tasks: Sequence[AskedSuite], scores: Scores) -> list[list[RateRow]]:
    """The accuracy on each task, a column, before any training and after each, with `rate_interval`s, for other probes."""
    return [[_rate(task, row[task.suite.name]) for task in tasks] for row in scores]


def drops_of(general: Sequence[AskedSuite], scores: Scores) -> list[RateRow | None]:
    """The drop since the base in each row, pooled over general suites as the gate pools them; None in the first row.

    It is None in all of them where nothing is pooled: texts are neither right nor wrong.
    """
    pools = [asked for asked in general if not asked.suite.is_of_texts]
    if not pools:
        return [None] * len(scores)
    return [None, *(_drop(pools, scores[0], row) for row in scores[1:])]


def _drop(
    general: Sequence[AskedSuite],
    before: Mapping[str, Mapping[str, Score]],
    after: Mapping[str, Mapping[str, Score]],
) -> RateRow:
    names = ((asked, asked.suite.name) for asked in general)
    found = pooled([compare(pair(asked.probes, before[name], after[name])) for asked, name in names])
    return RateRow(value=found.drop, interval=found.interval)


def measures_of(tasks: Sequence[AskedSuite], scores: Scores) -> list[MeasureRow]:
    """The measures of the whole sequence.

    The interval of a change is that of the gate's drop (Tango's, paired by probe, widened where probes go together), and those of
    different tasks, whose probes are independent, are combined (`stats.linear.combined`). They allow for other probes, and say
    nothing of another seed of the trainings.
    """
    rates = matrix_of(tasks, scores)
    matrix = [[rate.value for rate in row] for row in rates]
    found = []
    for name, measure in MEASURES.items():
        total = combined(_part(term, tasks, scores, rates) for term in measure(matrix))
        found.append(MeasureRow(name=name, value=total.value, interval=total.interval))
    return found


def _part(
    term: Term, tasks: Sequence[AskedSuite], scores: Scores, rates: Sequence[Sequence[RateRow]]
) -> Estimate:
    if term.before is None:
        rate = rates[term.after][term.task]
        return Estimate(term.weight, rate.value, rate.interval)
    task = tasks[term.task]
    before, after = (scores[row][task.suite.name] for row in (term.before, term.after))
    found = compare(pair(task.probes, before, after))
    low, high = found.interval  # of the drop
    return Estimate(term.weight, -found.drop, (-high, -low))


def _rate(task: AskedSuite, scores: Mapping[str, Score]) -> RateRow:
    right = [scores[probe.id].right for probe in task.probes]
    interval = rate_interval(right, [probe.cluster for probe in task.probes])
    return RateRow(value=sum(right) / len(right), interval=interval)
