"""The answers of two harnesses in, how far they agree out; and how many tokens a tree of prompts has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

TOLERANCE = 1e-3
"""Nats by which two log-probabilities of one choice may differ."""


@dataclass(frozen=True)
class Item:
    """An answer: the log-probability of each choice, or a text."""

    logprobs: tuple[float, ...] = ()
    text: str | None = None

    @property
    def answer(self) -> int | str:
        """The place of the likeliest choice, or the text."""
        return self.logprobs.index(max(self.logprobs)) if self.text is None else self.text

    @classmethod
    def of(cls, data: dict[str, Any]) -> Item:
        """The item that `asdict` wrote."""
        return cls(tuple(data["logprobs"]), data["text"])


@dataclass(frozen=True)
class Agreement:
    """Of `items`, how many have the same answer; and how far log-probabilities are apart at most."""

    items: int
    same: int
    off: float

    @property
    def holds(self) -> bool:
        """Whether all answers are the same and all log-probabilities are near."""
        return self.same == self.items and self.off <= TOLERANCE

    def __add__(self, other: Agreement) -> Agreement:
        return Agreement(self.items + other.items, self.same + other.same, max(self.off, other.off))


def agreement(theirs: Sequence[Item], ours: Sequence[Item]) -> Agreement:
    """Compare answers item by item; raises ValueError if one side has more of them."""
    pairs = list(zip(theirs, ours, strict=True))
    off = max((_apart(*pair) for pair in pairs), default=0.0)
    return Agreement(len(pairs), sum(a.answer == b.answer for a, b in pairs), off)


def _apart(first: Item, second: Item) -> float:
    apart = (abs(a - b) for a, b in zip(first.logprobs, second.logprobs, strict=True))
    return max(apart, default=0.0)


def as_data(items: Iterable[Item]) -> list[dict[str, Any]]:
    """Items as JSON data."""
    return [asdict(item) for item in items]


def unique_tokens(rows: Iterable[Sequence[int]]) -> int:
    """How many tokens a tree of these rows has, in which common beginnings stand once."""
    count, before = 0, ()  # type: int, Sequence[int]
    for row in sorted(map(tuple, rows)):
        count += len(row) - _common(before, row)
        before = row
    return count


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    pairs = zip(first, second, strict=False)
    shorter = min(len(first), len(second))
    return next((place for place, (a, b) in enumerate(pairs) if a != b), shorter)
