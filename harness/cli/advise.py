"""`advise`: recipe files in; what the rules of thumb say against each of them, with the reason, out. Nothing is trained."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from harness.cli.options import Commands, add_allow_outside, reach_of
from harness.errors import shown_path
from harness.terminal import show
from harness.wording import count


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "advise", help="what the rules of thumb say against a recipe, before training"
    )
    parser.add_argument("recipes", nargs="+", type=Path, metavar="RECIPE", help="recipe files")
    parser.add_argument("--strict", action="store_true", help="advice ends in exit code 1")
    add_allow_outside(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Print the advice on each recipe; 0, or with `--strict` 1 where there is any.

    Raises:
        RecipeError: with everything wrong in all of the recipes.
    """
    from harness.recipes.advice import advise
    from harness.recipes.read import base_reference, read_recipes

    total = 0
    for recipe in read_recipes(parsed.recipes, reach_of(parsed)):
        base = Path(base_reference(recipe))  # a folder's config.json tells whether it is quantised
        found = advise(recipe, base if base.is_dir() else None)
        for problem in found:
            show(problem.text)
        told = count(len(found), "piece of advice", "pieces of advice") if found else "nothing to advise"
        show(f"{shown_path(recipe.path)}: {recipe.name}, {told}")
        total += len(found)
    return 1 if parsed.strict and total else 0
