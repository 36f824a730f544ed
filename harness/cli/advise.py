"""`advise`: print the advice of rules of thumb on recipes, each with its reason. Nothing is trained."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from harness.cli.options import Commands, add_allow_outside, reach_of
from harness.errors import RecipeError, shown_path
from harness.terminal import show
from harness.wording import count


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("advise", help="check recipes against rules of thumb, before training")
    parser.add_argument("recipes", nargs="+", type=Path, metavar="RECIPE", help="recipe files")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if there is advice")
    add_allow_outside(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Print the advice on each recipe; 0, or with `--strict` 1 if there is any.

    Raises:
        RecipeError: with everything wrong in all recipes.
    """
    from harness.recipes.advice import advise
    from harness.recipes.read import base_reference, read_all

    recipes, problems = read_all(parsed.recipes, reach_of(parsed))
    if problems:
        raise RecipeError(problems)
    total = 0
    for recipe in recipes:
        base = Path(base_reference(recipe))  # a folder's config.json says whether it is quantised
        found = advise(recipe, base if base.is_dir() else None)
        for note in recipe.notes:
            show(f"note: {note}")
        for problem in found:
            show(problem.text)
        summary = count(len(found), "piece of advice", "pieces of advice") if found else "nothing to advise"
        show(f"{shown_path(recipe.path)}: {recipe.name}, {summary}")
        total += len(found)
    return 1 if parsed.strict and total else 0
