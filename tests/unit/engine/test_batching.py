"""Batches within a token budget, halved where memory runs out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.engine.batching import Budget, make_batches, run_halving


@pytest.mark.parametrize(
    ("lengths", "budget", "batches"),
    [
        ([], 10, []),
        ([3], 10, [[0]]),
        ([99], 10, [[0]]),
        ([2, 5, 3], 10, [[1, 2], [0]]),
        ([5, 5, 5, 5], 10, [[0, 1], [2, 3]]),
        ([1, 1, 1], 3, [[0, 1, 2]]),
        ([20, 2, 2, 2], 6, [[0], [1, 2, 3]]),
    ],
)
def test_plan_batches(lengths, budget, batches):
    assert make_batches(lengths, budget) == batches


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 200))
def test_each_item_is_in_one_batch_that_fits(lengths, budget):
    batches = make_batches(lengths, budget)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= budget
    widths = [max(lengths[index] for index in batch) for batch in batches]
    assert widths == sorted(widths, reverse=True)


class Device:
    """Room for `room` items at once; remembers what it was given."""

    def __init__(self, room: int, error: str = "out of memory") -> None:
        self.room, self.error = room, error
        self.tried: list[int] = []
        self.freed = 0

    def run(self, batch: Sequence[int]) -> list[str]:
        self.tried.append(len(batch))
        if len(batch) > self.room:
            raise RuntimeError(self.error)
        return [f"answer {index}" for index in batch]

    def ask(self, batch: Sequence[int], budget: Budget) -> list[str]:
        return run_halving(batch, self.run, lambda error: "memory" in str(error), budget, self.free)

    def free(self) -> None:
        self.freed += 1


def test_what_fits_is_run_once():
    device, budget = Device(8), Budget(100)
    assert device.ask([3, 1, 2], budget) == ["answer 3", "answer 1", "answer 2"]
    assert (device.tried, device.freed, budget.tokens) == ([3], 0, 100)


def test_out_of_memory_halves_the_batch_and_the_budget_and_keeps_the_order():
    device, budget = Device(2), Budget(100)
    assert device.ask([4, 3, 2, 1, 0], budget) == [f"answer {index}" for index in (4, 3, 2, 1, 0)]
    assert device.tried == [5, 3, 2, 1, 2]
    assert (device.freed, budget.tokens) == (2, 25)


def test_one_item_that_does_not_fit_is_an_error():
    with pytest.raises(RuntimeError, match="out of memory"):
        Device(0).ask([0, 1, 2], Budget(100))


def test_any_other_error_is_raised_at_once():
    device, budget = Device(0, "shapes differ"), Budget(100)
    with pytest.raises(RuntimeError, match="shapes differ"):
        device.ask([0, 1, 2], budget)
    assert (device.tried, budget.tokens) == ([3], 100)


def test_a_budget_never_falls_to_nothing():
    budget = Budget(3)
    for _ in range(5):
        budget.halve()
    assert budget.tokens == 1
