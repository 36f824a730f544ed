"""Blocks of lines in, those that fit on a screen out, each with a line on what it leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.reporting.view import Line, heights, line


@dataclass(frozen=True)
class Block:
    """Lines that go together.

    Attributes:
        head: lines above them, shown if any of them is.
        least: how many of them are shown whatever the room.
        wanted: how many go before the rest of other blocks.
        step: how many are shown or left out together, such as a sentence and its command.
        more: gives the words on those that are left out, from the number of the first of them on; None for no words.
        apart: whether an empty line stands before.
    """

    lines: Sequence[Line]
    head: Sequence[Line] = ()
    least: int = 0
    wanted: int = 0
    step: int = 1
    more: Callable[[int], str] | None = None
    apart: bool = False

    def shown(self, number: int) -> Iterator[Line]:
        """Its first lines, with what is around them."""
        whole = number >= len(self.lines)
        rest = self.more(number) if self.more and not whole else ""
        if not (number and self.lines) and not rest:
            return
        if self.apart:
            yield line("")
        if number:
            yield from self.head
            yield from self.lines[:number]
        if rest:
            yield line(rest, "quiet")


def fit(blocks: Sequence[Block], width: int, height: int | None) -> list[Line]:
    """The lines of all blocks: what each has at least, then what each wants, then the rest, the first block first."""
    numbers = [len(block.lines) if height is None else min(block.least, len(block.lines)) for block in blocks]
    if height is not None:
        for goals in (
            [min(block.wanted, len(block.lines)) for block in blocks],
            [len(block.lines) for block in blocks],
        ):
            _grow(blocks, numbers, goals, width, height)
    return [shown for block, number in zip(blocks, numbers, strict=True) for shown in block.shown(number)]


def _grow(blocks: Sequence[Block], numbers: list[int], goals: Sequence[int], width: int, height: int) -> None:
    """Show more of each block, up to its goal, while it fits."""
    costs = [_cost(block, number, width) for block, number in zip(blocks, numbers, strict=True)]
    for place, block in enumerate(blocks):
        others = sum(costs) - costs[place]
        for number in range(goals[place], numbers[place], -block.step):
            if others + (cost := _cost(block, number, width)) <= height:
                numbers[place], costs[place] = number, cost
                break


def _cost(block: Block, number: int, width: int) -> int:
    return heights(list(block.shown(number)), width)
