"""Lengths in, batches out: filled to a token budget, longest first, halved when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass
class Budget:
    """How many tokens, padding included, a batch may hold.

    Models on one device share it, so that both heed a limit that one of them ran into.
    """

    tokens: int

    def halve(self) -> None:
        self.tokens = max(1, self.tokens // 2)


def make_batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Group the indices of `lengths` into batches of at most `budget` padded tokens each.

    The longest come first, so that a batch that does not fit the memory fails at the start; an item longer than the budget
    gets a batch of its own. Batches depend on the lengths alone, so two models with the same requests get the same shapes.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    batches: list[list[int]] = []
    width = 0
    for index in order:
        if batches and (len(batches[-1]) + 1) * width <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
            width = lengths[index]
    return batches


def run_halving(
    batch: Sequence[int],
    run: Callable[[Sequence[int]], list[T]],
    out_of_memory: Callable[[BaseException], bool],
    budget: Budget,
    free: Callable[[], None],
) -> list[T]:
    """Run a batch; when memory runs out, run its halves instead.

    Raises:
        Whatever `run` raises, unless the memory ran out for a batch of several.
    """
    try:
        return run(batch)
    except RuntimeError as error:
        if not out_of_memory(error) or len(batch) == 1:
            raise
    budget.halve()
    free()
    middle = (len(batch) + 1) // 2
    return [
        *run_halving(batch[:middle], run, out_of_memory, budget, free),
        *run_halving(batch[middle:], run, out_of_memory, budget, free),
    ]
