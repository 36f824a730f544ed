"""The command line of a sweep in, a Schedule out: every recipe and suite is read and checked before training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harness.digest import digest
from harness.documents.within import PROJECT, Reach
from harness.engine.prompts import under
from harness.engine.settings import Settings
from harness.errors import HarnessError, InputError, Problem, RecipeError
from harness.evaluation.permission import with_consent
from harness.evaluation.record import suite_row
from harness.evaluation.sample import Key, draw, narrowed, not_sampled
from harness.evaluation.suites import read_suites
from harness.evaluation.verdicts import deciding_code
from harness.gate.cases import Case, cases
from harness.models.allowed import Allowed
from harness.models.reference import FullModel, find_full_model
from harness.recipes.read import Recipe, base_reference, read_all
from harness.spelling import option
from harness.stats.sampling import stratified
from harness.suites.suite import Probe, Suite
from harness.sweep.record import AskedRow, check_reference
from harness.sweep.vary import Varied, varied
from harness.training.rehearsal import mixed

SAMPLE_SEED = 0


@dataclass(frozen=True)
class SweepOptions:
    """The command line of a sweep.

    Attributes:
        seeds: to train each recipe under; empty for each recipe's own.
        sample: how many of the general probes are asked; None for all.
        matched: a recipe shown to learn less than this share of the largest gain is not ranked; None for the default.
        reference: the recipe that the others are compared with; None for the one that forgets most.
        vary: keys of recipes, each to be tried with several values.
        reach: where the files that recipes and suites name may be.
    """

    recipes: Sequence[Path]
    suites: Sequence[Path]
    report: Path
    seeds: tuple[int, ...] = ()
    sample: int | None = None
    matched: float | None = None
    reference: str | None = None
    allow_code: bool = False
    vary: tuple[Varied, ...] = ()
    reach: Reach = PROJECT
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class AskedSuite:
    """A suite and the probes of it that are asked."""

    suite: Suite
    probes: tuple[Probe, ...]

    @property
    def content(self) -> str:
        """A key for everything that a measurement depends on besides the models: what is asked, and what judges and decides."""
        again = [[dict(words) for words in probe.also_ask] for probe in self.probes]
        row = suite_row(replace(self.suite, probes=self.probes))
        return digest(row.content, self.suite.severity, again, deciding_code(self.probes))

    @property
    def cases(self) -> list[Case]:
        """The cases of the suite's gates over these probes."""
        asked = {(self.suite.name, probe.id) for probe in self.probes}
        narrow = filter(None, (narrowed(case, asked) for case in cases(self.suite)))
        return [case for case in narrow if {(self.suite.name, probe.id) for probe in case.probes} <= asked]


@dataclass(frozen=True)
class Schedule:
    """The recipes to train and the probes to ask; the recipes share `base` and `target`."""

    recipes: tuple[Recipe, ...]
    base: FullModel
    target: AskedSuite
    general: tuple[AskedSuite, ...]
    notes: tuple[str, ...] = ()


def read_schedule(options: SweepOptions, settings: Settings = Settings()) -> Schedule:
    """Read and check everything before anything is trained; suites are asked under `settings`.

    Raises:
        RecipeError: recipes cannot be read, or cannot be compared.
        SuiteError, InputError: suites cannot be read.
        ModelError: the base cannot be found.
        HarnessError: there is no recipe or no suite, or the reference is none of the recipes.
    """
    if not options.recipes:
        raise HarnessError(
            "no recipes to compare\n  name them: python -m harness ladder RECIPE.yaml ... --suite SUITE"
        )
    if not options.suites:
        raise HarnessError("no suites to see forgetting by\n  name what must be kept: --suite SUITE.yaml")
    recipes = read_recipes(options.recipes, options.vary, options.reach)
    check_reference(options.reference, [recipe.name for recipe in recipes])
    base = shared_base(recipes, settings.allowed)
    target = _target(recipes)
    if any(path.resolve() == target.resolve() for path in options.suites):
        raise HarnessError(
            f"--suite {target}: is the target of the recipes\n"
            "  what is learnt cannot show what was forgotten: give other suites"
        )
    read = read_suites([target, *options.suites], options.reach)
    suite, *general = (under(each, settings) for each in read)
    if not general:
        raise HarnessError(f"--suite: there are no suites but the target, {target}\n  give what must be kept")
    general, notes = with_consent(suite, general, options.allow_code)
    check_target(suite)
    sampled, more = sampled_suites(general, options.sample)
    check_pooled(sampled)
    return Schedule(recipes, base, AskedSuite(suite, suite.probes), tuple(sampled), (*notes, *more))


def read_recipes(paths: Sequence[Path], vary: Sequence[Varied], reach: Reach) -> tuple[Recipe, ...]:
    """All recipes, some of them varied, or everything wrong in all of them as one error."""
    targets = [path.resolve() for path in paths]
    again = {place for place, target in enumerate(targets) if target in targets[:place]}
    recipes, problems = read_all([path for place, path in enumerate(paths) if place not in again], reach)
    problems += [Problem(None, f"{paths[place]}: this recipe is given twice") for place in sorted(again)]
    if not problems:
        recipes = varied(recipes, vary)
    first: dict[str, Recipe] = {}
    for recipe in recipes:
        other = first.setdefault(recipe.name, recipe)
        if other is not recipe:
            where = f"the first is at {other.span('recipe')}"
            problems.append(Problem(recipe.span("recipe"), f"a second recipe called '{recipe.name}'", where))
        try:
            mixed(recipe)  # needs enough general data
        except RecipeError as error:
            problems += error.problems
    if problems:
        raise RecipeError(problems)
    return tuple(recipes)


def shared_base(
    recipes: Sequence[Recipe], allowed: Allowed, why: str = "recipes are compared over one base"
) -> FullModel:
    """The base that all recipes share; raises RecipeError if they do not, and ModelError if it cannot be found."""
    references = dict.fromkeys(map(base_reference, recipes))
    bases = {reference: find_full_model(reference, allowed) for reference in references}
    folders = [bases[base_reference(recipe)].folder for recipe in recipes]
    _check_shared("base", recipes, folders, why)
    return bases[base_reference(recipes[0])]


def _target(recipes: Sequence[Recipe]) -> Path:
    """The target suite that all recipes share."""
    targets = targets_of(recipes)
    resolved = [target.resolve() for target in targets]
    _check_shared("target", recipes, resolved, "recipes are compared by how well they learn one task")
    return targets[0]


def targets_of(recipes: Sequence[Recipe]) -> list[Path]:
    """The target suite of each recipe; raises RecipeError for recipes without one."""
    targets = [recipe.target for recipe in recipes if recipe.target is not None]
    if len(targets) < len(recipes):
        raise RecipeError(
            Problem(
                recipe.span(),
                f"the recipe '{recipe.name}' has no 'target'",
                "name the suite that measures what is learnt: target: path/to/suite.yaml",
            )
            for recipe in recipes
            if recipe.target is None
        )
    return targets


def _check_shared(
    key: Literal["base", "target"], recipes: Sequence[Recipe], paths: Sequence[Path], why: str
) -> None:
    """Refuse recipes whose `key` leads to different paths."""
    first = recipes[0]
    for recipe, path in zip(recipes, paths, strict=True):
        if path != paths[0]:
            raise RecipeError.at(
                recipe.span(key),
                f"the {key} of '{recipe.name}' is '{getattr(recipe.written, key)}', and that of '{first.name}' is "
                f"'{getattr(first.written, key)}' ({first.span(key)})",
                why,
            )


def check_target(suite: Suite) -> None:
    """Refuse a suite of which nothing can be gained as a target; raises InputError."""
    if suite.is_of_texts:
        raise InputError.at(
            suite.span,
            f"the suite '{suite.name}' cannot be a target: 'answer: likelihood' compares with the baseline",
            "which is right by definition, so that nothing can be gained; ask for answers",
        )


def check_pooled(general: Sequence[AskedSuite]) -> None:
    """Refuse general suites of which none is pooled, so that there is no drop to rank by; raises HarnessError."""
    if all(asked.suite.is_of_texts for asked in general):
        raise HarnessError(
            f"{option('suite')}: no suite to rank by: texts are neither right nor wrong, so none is lost\n"
            "  give a suite with answers too"
        )


def sampled_suites(suites: Sequence[Suite], n: int | None) -> tuple[list[AskedSuite], list[str]]:
    """The general probes that are asked, and notes about them for the user."""
    pool = {(suite.name, probe.id): probe for suite in suites for probe in suite.probes}
    if n is None or n >= len(pool):
        return [AskedSuite(suite, suite.probes) for suite in suites], []
    drawn = draw(pool, n, SAMPLE_SEED)
    asked = [
        AskedSuite(suite, tuple(probe for probe in suite.probes if (suite.name, probe.id) in drawn))
        for suite in suites
    ]
    notes = [f"a sample of {n:,} of {len(pool):,} general probes (--sample {n})"]
    notes += not_sampled([each.suite.name for each in asked if not each.probes])
    return [each for each in asked if each.probes], notes


def half_of(
    pool: Mapping[Key, Probe | AskedRow], seed: int, together: Iterable[tuple[Key, Key]] = ()
) -> set[Key]:
    """The keys of a half of the probes, by suite and category; those of a cluster are all in it, or none is.

    Args:
        together: pairs of probes, in one suite or in two, of which both are in it, or none is.
    """
    units = {
        key: (key[0], probe.cluster is not None, probe.cluster or probe.id) for key, probe in pool.items()
    }
    for first, key in together:
        if (own := units[key]) != units[first]:
            units |= {other: units[first] for other, unit in units.items() if unit == own}
    group = {units[key]: (key[0], probe.category) for key, probe in pool.items()}
    chosen = set(stratified(sorted(group), group.__getitem__, (len(group) + 1) // 2, seed))
    return {key for key, unit in units.items() if unit in chosen}
