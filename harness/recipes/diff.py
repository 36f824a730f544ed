"""Two recipes in; the mitigations that the second one adds to the first, and what else it changes, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.recipes.format import KEYS, RecipeFormat
from harness.recipes.methods import FullFormat, MethodFormat
from harness.recipes.mitigations import LEAST_COSTLY_FIRST
from harness.recipes.mitigations.mitigation import Mitigation

_APART = {"recipe", "about", "base", "target", "seed"}
"""Keys that do not affect training, or that a sweep keeps equal or varies on purpose."""


@dataclass(frozen=True)
class Difference:
    """A mitigation that one recipe has beyond another; `text` says how: "1e-4 instead of 2e-3"."""

    mitigation: Mitigation
    text: str


@dataclass(frozen=True)
class Changes:
    """How one recipe differs from another: what it adds, what it gives up, and other keys that differ."""

    adds: tuple[Difference, ...]
    gives_up: tuple[Difference, ...]
    other: tuple[str, ...]


def changes(reference: RecipeFormat, recipe: RecipeFormat) -> Changes:
    """How `recipe` differs from `reference`; mitigations least costly first, other keys in the format's order."""
    adds, gives_up = tuple(_adds(reference, recipe)), tuple(_adds(recipe, reference))
    explained = {key for change in (*adds, *gives_up) for key in change.mitigation.shows_in}
    return Changes(adds, gives_up, tuple(_other(reference, recipe, explained)))


def mitigations_of(recipe: RecipeFormat) -> list[Mitigation]:
    """What a recipe adds to plain full fine-tuning at its own rate and for its own steps; least costly first."""
    plain = {"method": MethodFormat(full=FullFormat()), **dict.fromkeys(KEYS)}
    return [added.mitigation for added in _adds(recipe.model_copy(update=plain), recipe)]


def untried(recipe: RecipeFormat) -> list[str]:
    """The names of the mitigations that a recipe does not have; its rate and its steps can always be lowered."""
    known = mitigations_of(recipe)
    return [mitigation.name for mitigation in LEAST_COSTLY_FIRST if mitigation not in known]


def _adds(old: RecipeFormat, new: RecipeFormat) -> Iterator[Difference]:
    for mitigation in LEAST_COSTLY_FIRST:
        if (text := mitigation.adds(old, new)) is not None:
            yield Difference(mitigation, text)


def _other(old: RecipeFormat, new: RecipeFormat, explained: set[str]) -> Iterator[str]:
    """The keys in which the recipes differ and that no mitigation explains."""
    comes_or_goes = {name for name, key in KEYS.items() if (key.of(old) is None) != (key.of(new) is None)}
    before, after = _flat(old.model_dump(mode="json")), _flat(new.model_dump(mode="json"))
    for key in dict.fromkeys((*before, *after)):
        if (
            before.get(key) != after.get(key)
            and key.partition(".")[0] not in _APART | comes_or_goes
            and not any(key == part or key.startswith(f"{part}.") for part in explained)
        ):
            yield key


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, its keys joined by dots."""
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= _flat(inner, f"{prefix}{key}.") if isinstance(inner, dict) else {f"{prefix}{key}": inner}
    return flat
