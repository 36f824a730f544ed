"""How many tokens go through a model together."""

from __future__ import annotations

from dataclasses import dataclass

EXACT = frozenset({"float32", "float64"})
"""Types in which what else is in a batch changes an answer by no more than the last digits of a log-probability."""

SHAPES = 3
"""Raised whenever other rows or slices are computed together: other types may then answer otherwise, and are asked again."""


@dataclass
class Budget:
    """How many tokens a batch may hold, of its answers too.

    Models on one device share it, so that both heed a limit that one of them ran into.
    """

    tokens: int

    def halve(self) -> None:
        """After the memory ran out."""
        self.tokens = max(1, self.tokens // 2)
