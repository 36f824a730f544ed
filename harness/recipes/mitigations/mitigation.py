"""The seam of the mitigations: everything that is known of one, in one value, but for what takes torch to compute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal

from harness.recipes.plain import PlainRecipe
from harness.recipes.shapes import Key

Distance = Callable[[Any, Any], Any]
"""Two float32 tensors of one shape in, the weights of a parameter now and at the start; one of that shape out."""


class Cost(IntEnum):
    """What a mitigation takes, the least first: the order in which they are named, and worth trying."""

    SETTING = 1
    """Another value of what every recipe has."""
    GENERAL_DATA = 2
    """General data, and steps over it."""
    OWN_ANSWERS = 3
    """General data that the baseline must answer first."""
    TEACHER = 4
    """A pass of the baseline beside each step."""
    COPY = 5
    """A copy of the weights, and trials to find a strength."""
    FISHER = 6
    """The same, and an estimate of what each weight matters."""


@dataclass(frozen=True)
class Penalty:
    """A term that a mitigation adds to the loss: it grows as the model leaves the baseline.

    Attributes:
        holds: what it keeps near the baseline's. Under LoRA, held weights are those of the adapter.
        strength: the key under the mitigation's own that says how much it counts; "" if its own does.
        distance: of each weight from its start; the term is their sum times the strength. None where
            `harness.training.penalties` computes the term otherwise.
    """

    holds: Literal["weights", "outputs"]
    strength: str = ""
    distance: Distance | None = None

    def strength_of(self, part: Any) -> float:
        """How much staying near the baseline counts against learning; `part` is the value of the mitigation's key."""
        return float(getattr(part, self.strength) if self.strength else part)


def _never(recipe: PlainRecipe) -> bool:
    return False


@dataclass(frozen=True, eq=False)
class Mitigation:
    """A way to forget less.

    Attributes:
        kind: its name in code.
        name: its name for people.
        published: what is known of it from elsewhere, with the source: for what a ladder does not measure.
        adds: what the second recipe has of it beyond the first ("1e-4 instead of 2e-3"); None if nothing.
        shows_in: the keys of a recipe, joined by dots, in which `adds` finds it.
        has: whether a recipe has it by itself; a rate and a number of steps are low only beside another's.
        key: the key that it brings into recipes; None if it is a matter of keys that every recipe has.
        penalty: what it adds to the loss, if it does.
    """

    kind: str
    name: str
    cost: Cost
    published: str
    adds: Callable[[PlainRecipe, PlainRecipe], str | None]
    shows_in: tuple[str, ...]
    has: Callable[[PlainRecipe], bool] = _never
    key: Key[Any] | None = None
    penalty: Penalty | None = None


def by_penalty(key: Key[Any], name: str, cost: Cost, published: str, penalty: Penalty) -> Mitigation:
    """A mitigation that is a penalty under a key of its own: a recipe has it or not, and the stronger, the more."""

    def adds(old: PlainRecipe, new: PlainRecipe) -> str | None:
        before, after = key.of(old), key.of(new)
        if after is None:
            return None
        strength = penalty.strength_of(after)
        if before is None:
            return f"with a weight of {strength:g}"
        less = penalty.strength_of(before)
        return f"with a weight of {strength:g} instead of {less:g}" if strength > less else None

    return Mitigation(
        kind=key.name,
        name=name,
        cost=cost,
        published=published,
        adds=adds,
        shows_in=(".".join(filter(None, (key.name, penalty.strength))),),
        has=lambda recipe: key.of(recipe) is not None,
        key=key,
        penalty=penalty,
    )
