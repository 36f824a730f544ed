"""Recipe files in; what the rules of thumb say against each of them, with the reason, out. Nothing is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.documents.within import PROJECT, Reach
from harness.errors import Problem, RecipeError, shown_path
from harness.recipes.advice import advise
from harness.recipes.read import Recipe, base_reference, read_recipe
from harness.terminal import show
from harness.wording import count


def advise_all(paths: Sequence[Path], strict: bool = False, reach: Reach = PROJECT) -> int:
    """Print the advice on each recipe; 0, or with `strict` 1 where there is any.

    Raises:
        RecipeError: with everything wrong in all of the recipes.
    """
    recipes = _read(paths, reach)
    total = 0
    for recipe in recipes:
        found = advise(recipe, _base(recipe))
        for problem in found:
            show(str(problem))
        told = count(len(found), "piece of advice", "pieces of advice") if found else "nothing to advise"
        show(f"{shown_path(recipe.path)}: {recipe.name}, {told}")
        total += len(found)
    return 1 if strict and total else 0


def _read(paths: Sequence[Path], reach: Reach) -> list[Recipe]:
    recipes: list[Recipe] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            recipes.append(read_recipe(path, reach))
        except RecipeError as error:
            problems += error.problems
    if problems:
        raise RecipeError(problems)
    return recipes


def _base(recipe: Recipe) -> Path | None:
    """The base's folder, if it is one; its config.json tells whether it is quantised. Nothing is downloaded."""
    folder = Path(base_reference(recipe))
    return folder if folder.is_dir() else None
