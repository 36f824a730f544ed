"""The command line of a sequence in, a Schedule out: every recipe and suite is read and checked before training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.documents.within import PROJECT, Reach
from harness.engine.prompts import under
from harness.engine.settings import Settings
from harness.errors import HarnessError, RecipeError
from harness.evaluation.permission import check_consent, with_consent
from harness.evaluation.suites import read_suites
from harness.models.reference import FullModel
from harness.recipes.read import Recipe
from harness.sweep.schedule import (
    AskedSuite,
    check_target,
    read_recipes,
    sampled_suites,
    shared_base,
    targets_of,
)


@dataclass(frozen=True)
class SequenceOptions:
    """The command line of a sequence.

    Attributes:
        recipes: in the order of training.
        suites: what must be kept, gated after each task; may be empty.
        sample: how many of the probes of `suites` are asked; None for all.
        reach: where the files that recipes and suites name may be.
    """

    recipes: Sequence[Path]
    suites: Sequence[Path]
    out: Path
    sample: int | None = None
    allow_code: bool = False
    reach: Reach = PROJECT
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schedule:
    """The recipes in order, the suite that measures the task of each, and general suites."""

    recipes: tuple[Recipe, ...]
    base: FullModel
    tasks: tuple[AskedSuite, ...]
    general: tuple[AskedSuite, ...]
    notes: tuple[str, ...] = ()


def read_schedule(options: SequenceOptions, settings: Settings = Settings()) -> Schedule:
    """Read and check everything before anything is trained; suites are asked under `settings`.

    Raises:
        RecipeError: recipes cannot be read, have no target or the same, or do not begin with one base.
        SuiteError, InputError: suites cannot be read.
        ModelError: the base cannot be found.
        HarnessError: there are fewer than two recipes.
    """
    if len(options.recipes) < 2:
        raise HarnessError(
            "a sequence needs two recipes or more, in the order of training\n  name them: python -m harness sequence a.yaml b.yaml"
        )
    recipes = read_recipes(options.recipes, (), options.reach)
    base = shared_base(
        recipes,
        settings.allowed,
        "each goes on from the one before, so all name the base that the first begins with",
    )
    targets = _distinct(recipes)
    suites = [under(suite, settings) for suite in read_suites([*targets, *options.suites], options.reach)]
    tasks, general = suites[: len(targets)], suites[len(targets) :]
    for suite in tasks:
        check_target(suite)
    check_consent(tasks, options.allow_code)
    notes: list[str] = []
    if general:
        general, notes = with_consent(None, general, options.allow_code)
    sampled, more = sampled_suites(general, options.sample)
    learnt = tuple(AskedSuite(suite, suite.probes) for suite in tasks)
    return Schedule(recipes, base, learnt, tuple(sampled), (*notes, *more))


def _distinct(recipes: Sequence[Recipe]) -> list[Path]:
    """The target of each recipe, all different."""
    targets = targets_of(recipes)
    first: dict[Path, Recipe] = {}
    for recipe, target in zip(recipes, targets, strict=True):
        other = first.setdefault(target.resolve(), recipe)
        if other is not recipe:
            raise RecipeError.at(
                recipe.span("target"),
                f"the target of '{recipe.name}' is that of '{other.name}' ({other.span('target')})",
                "each task of a sequence has a suite of its own",
            )
    return targets
