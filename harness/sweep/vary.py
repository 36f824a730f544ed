"""Recipes, and keys with the values to try in; a recipe for each value that a recipe's key takes, out.

A mitigation is judged by the best of several strengths, not by one guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from harness.documents.validate import validate
from harness.errors import HarnessError, did_you_mean
from harness.limits import MOST_VARIED
from harness.recipes.format import PARTS, RecipeFormat
from harness.recipes.read import Recipe

_OF_DATA = {"recipe", "about", "base", "target", "corpus", "seed", "file", "split", "limit", "answers"}
"""Keys that a recipe is read with, or that a sweep keeps equal or varies on purpose."""


@dataclass(frozen=True)
class Varied:
    """A key of recipes, its parts joined by dots, and the values to try: `ewc.importance`, (100, 1000)."""

    key: str
    values: tuple[int | float | str, ...]

    @property
    def place(self) -> tuple[str, ...]:
        return tuple(self.key.split("."))


def varied(recipes: Sequence[Recipe], keys: Sequence[Varied]) -> list[Recipe]:
    """The recipes, each that has some of the keys once for each combination of their values, named by them.

    Raises:
        HarnessError: no recipe has a key, it cannot be varied, a value is none that it takes, or there would be too many.
    """
    names = [key.key for key in keys]
    if twice := [name for place, name in enumerate(names) if name in names[:place]]:
        raise HarnessError(
            f"--vary {twice[0]}: given twice\n  give all its values at once, separated by commas"
        )
    for key in keys:
        _check(key, recipes)
    found = [made for recipe in recipes for made in _each(recipe, [key for key in keys if _has(recipe, key)])]
    if keys and len(found) > MOST_VARIED:
        raise HarnessError(
            f"--vary: makes {len(found):,} recipes of {len(recipes)}; at most {MOST_VARIED} are tried"
        )
    return found


def _check(key: Varied, recipes: Sequence[Recipe]) -> None:
    if taken := _OF_DATA & set(key.place):
        why = "name seeds with --seeds" if "seed" in taken else "write a recipe for each instead"
        raise HarnessError(f"--vary {key.key}: '{min(taken)}' cannot be varied\n  {why}")
    if any(_has(recipe, key) for recipe in recipes):
        return
    known = {name for recipe in recipes for name in _keys(recipe.written.model_dump(mode="json"))}
    near = did_you_mean(key.key, sorted(known)) or "give a recipe with that key, or leave --vary out"
    raise HarnessError(f"--vary {key.key}: no recipe has that key\n  {near}")


def _keys(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """The keys of a recipe that hold a number or a text, joined by dots."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{name}.")
        elif isinstance(value, int | float | str):
            yield f"{prefix}{name}"


def _has(recipe: Recipe, key: Varied) -> bool:
    return key.key in set(_keys(recipe.written.model_dump(mode="json")))


def _each(recipe: Recipe, keys: Sequence[Varied]) -> Iterator[Recipe]:
    if not keys:
        yield recipe
        return
    for values in product(*(key.values for key in keys)):
        written, name = recipe.written, recipe.name
        for key, value in zip(keys, values, strict=True):
            written = _with(recipe, written, key, value)
            name += f"-{key.place[-1]}-{value}"
        yield replace(recipe, written=written.model_copy(update={"recipe": name}))


def _with(recipe: Recipe, written: RecipeFormat, key: Varied, value: Any) -> RecipeFormat:
    """The recipe with another value; raises HarnessError."""
    data = written.model_dump(mode="json", exclude_none=True)
    part = data
    for step in key.place[:-1]:
        part = part[step]
    part[key.place[-1]] = value
    changed, problems = validate(RecipeFormat, data, recipe.document, PARTS, hints=False)
    if changed is None:
        _, must, wanted = problems[0].message.partition(" must be ")  # after a key that the file may lack
        raise HarnessError(f"--vary {key.key}: {must.lstrip() + wanted or problems[0].message}")
    return changed
