"""The measures of sequences of tasks, against matrices worked by hand."""

from __future__ import annotations

import pytest

from harness.errors import NoEvidenceError
from harness.stats.linear import Estimate, combined
from harness.stats.sequences import average_accuracy, backward_transfer, forgetting, forward_transfer

THREE = [
    [0.1, 0.2, 0.3],
    [0.9, 0.3, 0.2],
    [0.7, 0.8, 0.5],
    [0.5, 0.6, 0.9],
]
"""Rows: before any task, and after each of three."""


def value(terms, matrix):
    return sum(
        term.weight
        * (matrix[term.after][term.task] - (0 if term.before is None else matrix[term.before][term.task]))
        for term in terms
    )


@pytest.mark.parametrize(
    ("measure", "by_hand"),
    [
        (average_accuracy, (0.5 + 0.6 + 0.9) / 3),
        (backward_transfer, ((0.5 - 0.9) + (0.6 - 0.8)) / 2),
        (forward_transfer, ((0.3 - 0.2) + (0.5 - 0.3)) / 2),
        (forgetting, ((0.9 - 0.5) + (0.8 - 0.6)) / 2),
    ],
)
def test_three_tasks(measure, by_hand):
    assert value(measure(THREE), THREE) == pytest.approx(by_hand)


def test_forgetting_counts_from_the_best_row_and_not_from_the_last():
    matrix = [[0.0, 0.0, 0.0], [0.6, 0.0, 0.0], [0.8, 0.7, 0.0], [0.5, 0.7, 0.9]]
    assert value(forgetting(matrix), matrix) == pytest.approx(((0.8 - 0.5) + (0.7 - 0.7)) / 2)
    assert value(backward_transfer(matrix), matrix) == pytest.approx(((0.5 - 0.6) + (0.7 - 0.7)) / 2)


def test_a_base_that_knew_a_task_best_is_no_forgetting_of_what_was_learnt():
    matrix = [[1.0, 0.0], [0.4, 0.0], [0.4, 1.0]]
    assert value(forgetting(matrix), matrix) == 0


def test_two_tasks_without_a_change():
    matrix = [[0.5, 0.5]] * 3
    assert [value(each(matrix), matrix) for each in (average_accuracy, backward_transfer, forward_transfer, forgetting)] == [
        0.5, 0.0, 0.0, 0.0,
    ]  # fmt: skip


def test_one_task_has_an_average_and_nothing_that_transfers():
    matrix = [[0.1], [0.7]]
    assert value(average_accuracy(matrix), matrix) == 0.7
    for measure in (backward_transfer, forward_transfer, forgetting):
        with pytest.raises(NoEvidenceError, match="fewer than two tasks"):
            measure(matrix)


@pytest.mark.parametrize("matrix", [[], [[0.1, 0.2]], [[0.1], [0.2], [0.3]], [[0.1, 0.2], [0.1], [0.2, 0.3]]])
def test_what_is_no_matrix_of_a_sequence(matrix):
    with pytest.raises(NoEvidenceError, match="one more row than columns"):
        average_accuracy(matrix)


def test_intervals_of_a_sum_keep_their_skew():
    found = combined([Estimate(0.5, 0.4, (0.1, 0.5)), Estimate(-0.5, 0.2, (0.1, 0.6))])
    assert found.value == pytest.approx(0.1)
    # down: 0.5 * 0.3 and, turned around, 0.5 * 0.4; up: 0.5 * 0.1 and 0.5 * 0.1
    assert found.interval == pytest.approx((0.1 - (0.15**2 + 0.2**2) ** 0.5, 0.1 + (2 * 0.05**2) ** 0.5))


def test_a_sum_of_nothing():
    with pytest.raises(NoEvidenceError):
        combined([])
