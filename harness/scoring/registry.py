"""The scores that YAML may name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from harness.suites.scorer import Scorer

S = TypeVar("S", bound=type[Scorer])

SCORERS: dict[str, type[Scorer]] = {}


def scorer(name: str) -> Callable[[S], S]:
    """Register a Scorer under the name by which suites ask for it.

    Raises:
        ValueError: if another class has the name already.
    """

    def register(kind: S) -> S:
        if name in SCORERS:
            raise ValueError(f"there is a score '{name}' already: {SCORERS[name].__qualname__}")
        kind.name = name
        SCORERS[name] = kind
        return kind

    return register
