"""Accuracies on tasks that were learnt one after another in, what they say of forgetting and transfer out.

R[i][j] is the accuracy on task j after learning the first i tasks, of T: rows 0 (before any) to T, columns 0 to T - 1; task j is
learnt in row j + 1. Every measure is a weighted sum of accuracies, or of changes of them on one task, so that its interval
follows from theirs (`harness.stats.linear.combined`): a change is paired, by the same probes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import NoEvidenceError

Matrix = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Term:
    """`weight` times the accuracy on `task` in row `after`, less that in row `before` if there is one."""

    weight: float
    task: int
    after: int
    before: int | None = None


def average_accuracy(matrix: Matrix) -> list[Term]:
    """1/T sum_j R[T][j]: over all tasks at the end (Lopez-Paz and Ranzato 2017, arXiv 1706.08840, eq. 2).

    Raises:
        NoEvidenceError: it is no matrix of one more row than columns.
    """
    tasks = _tasks(matrix)
    return [Term(1 / tasks, task, tasks) for task in range(tasks)]


def backward_transfer(matrix: Matrix) -> list[Term]:
    """1/(T-1) sum_{j<T} R[T][j] - R[j][j]: how later tasks changed earlier ones since these were learnt (the same, eq. 3).

    Negative is forgetting. R[j][j] counts tasks from 1 there: the row in which a task was learnt.

    Raises:
        NoEvidenceError: as `average_accuracy`, or for a single task.
    """
    tasks = _several(matrix)
    return [Term(1 / (tasks - 1), task, tasks, task + 1) for task in range(tasks - 1)]


def forward_transfer(matrix: Matrix) -> list[Term]:
    """1/(T-1) sum_{j>1} R[j-1][j] - R[0][j]: how earlier tasks changed later ones before these were learnt (the same, eq. 4).

    The paper's reference is a model with random weights; here it is the base, which was trained already.

    Raises:
        NoEvidenceError: as `backward_transfer`.
    """
    tasks = _several(matrix)
    return [Term(1 / (tasks - 1), task, task, 0) for task in range(1, tasks)]


def forgetting(matrix: Matrix) -> list[Term]:
    """1/(T-1) sum_{j<T} max_{1<=l<T} R[l][j] - R[T][j]: how far each task fell below its best (the forgetting
    measure of Chaudhry et al. 2018, arXiv 1801.10112).

    Positive is forgetting. The best of several rows flatters by chance, so this is a little more than was lost; the intervals
    do not allow for that choice. Of equal rows the last is taken.

    Raises:
        NoEvidenceError: as `backward_transfer`.
    """
    tasks = _several(matrix)

    def best(task: int) -> int:
        return max(range(1, tasks), key=lambda row: (matrix[row][task], row))

    return [Term(1 / (tasks - 1), task, best(task), tasks) for task in range(tasks - 1)]


def _tasks(matrix: Matrix) -> int:
    tasks = len(matrix) - 1
    if tasks < 1 or any(len(row) != tasks for row in matrix):
        raise NoEvidenceError(
            f"a sequence of tasks has one more row than columns, saw rows of {[len(row) for row in matrix]} columns"
        )
    return tasks


def _several(matrix: Matrix) -> int:
    if (tasks := _tasks(matrix)) < 2:
        raise NoEvidenceError("nothing transfers between fewer than two tasks")
    return tasks
