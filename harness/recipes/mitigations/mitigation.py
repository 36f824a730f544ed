"""Everything known of a way to forget less, except what takes torch to compute."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Generic, Literal, TypeVar, cast

from harness.documents.validate import Shape
from harness.recipes.plain import PlainRecipe

S = TypeVar("S")

Distance = Callable[[Any, Any], Any]
"""Two float32 tensors of one shape in, a parameter now and at the start; the distance of each weight, of that shape, out."""


class Cost(IntEnum):
    """The price of a mitigation, the lowest first: the order in which they are named, and worth trying."""

    SETTING = 1
    """Another value of what every recipe has."""
    STEPS = 2
    """The same data in other steps: some tokens count less, or rates or directions change. One pass of the baseline at most."""
    GENERAL_DATA = 3
    """General data, and steps over it."""
    OWN_ANSWERS = 4
    """General data that the baseline must answer first."""
    TEACHER = 5
    """A pass of the baseline beside each step."""
    COPY = 6
    """A copy of the weights, and trials to find a strength."""
    FISHER = 7
    """The same, and an estimate of how much each weight matters."""
    ROLLOUTS = 8
    """Answers of the model in training at every step, and a pass of a teacher over them."""


@dataclass(frozen=True, eq=False)
class Key(Generic[S]):
    """A key of a recipe that may be left out.

    Attributes:
        shape: the type of its value, perhaps with bounds, such as `Weight`.
        about: its description in the schema.
    """

    name: str
    shape: Any
    about: str

    def of(self, recipe: Shape) -> S | None:
        """The value of this key in a recipe, None if it was left out."""
        return cast("S | None", getattr(recipe, self.name))


@dataclass(frozen=True, eq=False, kw_only=True)
class Mitigation(ABC):
    """A way to forget less.

    Attributes:
        name: its name for people.
        published: its effect elsewhere, with the source: for what a sweep does not measure.
        key: the key that it brings into recipes; None if it is another value of what every recipe has.
        settings: where its strength is set, as keys under its own or, without one, of the recipe; empty where its own key
            holds the strength.
    """

    name: str
    cost: Cost
    published: str
    key: Key[Any] | None = None
    settings: tuple[str, ...] = ()

    @abstractmethod
    def adds(self, old: PlainRecipe, new: PlainRecipe) -> str | None:
        """How much more of it `new` has than `old`, in words ("1e-4 instead of 2e-3"); None if no more."""

    @property
    def shows_in(self) -> tuple[str, ...]:
        """The keys of a recipe in which `adds` finds it, joined by dots."""
        if self.key is None:
            return self.settings
        return tuple(f"{self.key.name}.{setting}" for setting in self.settings) or (self.key.name,)


@dataclass(frozen=True, eq=False, kw_only=True)
class KeyedMitigation(Mitigation):
    """A mitigation with a key of its own: a recipe that has it mitigates, and the stronger it is there, the more.

    Attributes:
        phrase: how much of it a recipe has, in words, with `{:g}` in place of its strength if it has one.
        more: which of two strengths mitigates more.
        refuses: why a recipe cannot have it, or None: what was seen and, on a second line, what to do.
    """

    key: Key[Any]
    phrase: str
    more: Literal["higher", "lower"] = "higher"
    refuses: Callable[[PlainRecipe], str | None] = lambda recipe: None

    def strength(self, part: Any) -> float:
        """The number in the phrase; `part` is the value of the key."""
        return float(getattr(part, self.settings[0]) if self.settings else part)

    def adds(self, old: PlainRecipe, new: PlainRecipe) -> str | None:
        before, after = self.key.of(old), self.key.of(new)
        if after is None:
            return None
        if "{" not in self.phrase:
            return self.phrase if before is None else None
        text = self.phrase.format(self.strength(after))
        if before is None:
            return text
        now, then = self.strength(after), self.strength(before)
        is_more = now > then if self.more == "higher" else now < then
        return f"{text} instead of {then:g}" if is_more else None


@dataclass(frozen=True, eq=False, kw_only=True)
class PenaltyMitigation(KeyedMitigation):
    """A term of the loss that grows as the model leaves the baseline; its strength is how much staying near counts.

    Attributes:
        holds: what it keeps near the baseline's. Under LoRA, held weights are those of the adapter.
        distance: the term is its sum over all weights, times the strength. None where `harness.training.penalties`
            computes the term otherwise.
    """

    phrase: str = "with a weight of {:g}"
    holds: Literal["weights", "outputs"]
    distance: Distance | None = None
