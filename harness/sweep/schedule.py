"""What the user typed in, a Schedule out: every recipe and suite read, and all that can be wrong found, before training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.digest import digest
from harness.documents.within import PROJECT, Reach
from harness.engine.prompts import under
from harness.engine.settings import Settings
from harness.errors import HarnessError, InputError, NoEvidenceError, Problem, RecipeError, did_you_mean
from harness.evaluation.keys import question_key
from harness.evaluation.permission import code_problem, without_code
from harness.evaluation.sample import draw, narrowed
from harness.evaluation.suites import read_suites
from harness.gate.cases import Case, cases
from harness.models.reference import FullModel, find_full_model
from harness.recipes.mitigations.replay import REPLAY_KEY
from harness.recipes.read import Recipe, base_reference, read_recipe
from harness.spelling import on_command_line
from harness.suites.suite import Probe, Suite
from harness.training.replay import create_replay_dataset

SAMPLE_SEED = 0


@dataclass(frozen=True)
class SweepOptions:
    """The command line of a ladder.

    Attributes:
        seeds: to train each recipe under; empty for each recipe's own.
        sample: how many of the general probes are asked; None for all.
        matched: the share of the largest gain from which on drops are compared.
        reference: the recipe that the others are held against; None for the one that forgets most.
        reach: where the files that recipes and suites name may lie.
    """

    recipes: Sequence[Path]
    suites: Sequence[Path]
    report: Path
    seeds: tuple[int, ...] = ()
    sample: int | None = None
    matched: float | None = None
    reference: str | None = None
    allow_code: bool = False
    reach: Reach = PROJECT
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class AskedSuite:
    """A suite and those of its probes that are asked."""

    suite: Suite
    probes: tuple[Probe, ...]

    @property
    def content(self) -> str:
        """What stands for all that answers and scores depend on: no gates, and not the code of a score."""
        return digest([[probe.id, question_key(self.suite, probe)] for probe in self.probes])

    @property
    def cases(self) -> list[Case]:
        """What the suite's gates say of these probes."""
        asked = {(self.suite.name, probe.id) for probe in self.probes}
        narrow = (narrowed(case, asked) for case in cases(self.suite))
        return [
            case
            for case in narrow
            if case and {(self.suite.name, probe.id) for probe in case.probes} <= asked
        ]


@dataclass(frozen=True)
class Schedule:
    """What a ladder will train and ask; the recipes share `base` and `target`."""

    recipes: tuple[Recipe, ...]
    base: FullModel
    target: AskedSuite
    general: tuple[AskedSuite, ...]
    notes: tuple[str, ...] = ()


def read_schedule(options: SweepOptions, settings: Settings = Settings()) -> Schedule:
    """Read and check everything; suites are asked as `settings` have it.

    Raises:
        RecipeError: recipes cannot be read, or do not belong on one ladder.
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
    recipes = _recipes(options.recipes, options.reach)
    _check_reference(options.reference, recipes)
    base = _base(recipes, settings.allow_pickle)
    target = _target(recipes)
    if any(path.resolve() == target.resolve() for path in options.suites):
        raise HarnessError(
            f"--suite {target}: is the target of the recipes\n"
            "  what is learnt cannot show what was forgotten: give other suites"
        )
    suite, *general = read_suites([target, *options.suites], options.reach)
    if not general:
        raise HarnessError(f"--suite: there are no suites but the target, {target}\n  give what must be kept")
    general, notes = _with_consent(suite, general, options.allow_code)
    if problems := list(_not_gained(suite)):
        raise InputError(problems)
    sampled, more = _sampled(general, options.sample)
    target_asked = AskedSuite(under(suite, settings), suite.probes)
    general_asked = tuple(replace(one, suite=under(one.suite, settings)) for one in sampled)
    return Schedule(recipes, base, target_asked, general_asked, (*notes, *more))


def _recipes(paths: Sequence[Path], reach: Reach) -> tuple[Recipe, ...]:
    """All recipes, with everything wrong in any of them as one error."""
    problems: list[Problem] = []
    recipes: list[Recipe] = []
    seen: set[Path] = set()
    for path in paths:
        if path.resolve() in seen:
            problems.append(Problem(None, f"{path}: this recipe is given twice"))
            continue
        seen.add(path.resolve())
        try:
            recipes.append(read_recipe(path, reach))
        except RecipeError as error:
            problems += error.problems
    problems += [*_repeated_names(recipes), *_too_little_replay(recipes)]
    if problems:
        raise RecipeError(problems)
    return tuple(recipes)


def _repeated_names(recipes: Sequence[Recipe]) -> Iterator[Problem]:
    first: dict[str, Recipe] = {}
    for recipe in recipes:
        other = first.setdefault(recipe.name, recipe)
        if other is not recipe:
            yield Problem(
                recipe.span("recipe"),
                f"a second recipe called '{recipe.name}'",
                f"{other.span('recipe')} is called so already",
            )


def _too_little_replay(recipes: Sequence[Recipe]) -> Iterator[Problem]:
    for recipe in recipes:
        if replay := REPLAY_KEY.of(recipe.written):
            try:
                create_replay_dataset(recipe.examples, recipe.general["replay"], replay.fraction)
            except NoEvidenceError as error:
                yield Problem(recipe.span("replay", "fraction"), str(error))


def _check_reference(name: str | None, recipes: Sequence[Recipe]) -> None:
    names = [recipe.name for recipe in recipes]
    if name is not None and name not in names:
        near = did_you_mean(name, names) or f"there are: {', '.join(names)}"
        raise HarnessError(f"--from {name}: no recipe of this ladder has that name\n  {near}")


def _base(recipes: Sequence[Recipe], allow_pickle: bool) -> FullModel:
    """The base that all recipes share."""
    references = dict.fromkeys(map(base_reference, recipes))
    bases = {reference: find_full_model(reference, allow_pickle) for reference in references}
    first, *others = recipes
    base = bases[base_reference(first)]
    for recipe in others:
        if bases[base_reference(recipe)].folder != base.folder:
            raise RecipeError([
                Problem(
                    recipe.span("base"),
                    f"the base of '{recipe.name}' is '{recipe.written.base}', and that of '{first.name}' is "
                    f"'{first.written.base}' ({first.span('base')})",
                    "recipes are compared over one base",
                )
            ])  # fmt: skip
    return base


def _target(recipes: Sequence[Recipe]) -> Path:
    """The target suite that all recipes share."""
    without = [recipe for recipe in recipes if recipe.target is None]
    if without:
        raise RecipeError(
            Problem(
                recipe.span(),
                f"the recipe '{recipe.name}' has no 'target'",
                "name the suite that measures what is learnt: target: path/to/suite.yaml",
            )
            for recipe in without
        )
    first, *others = recipes
    assert first.target is not None
    for recipe in others:
        assert recipe.target is not None
        if recipe.target.resolve() != first.target.resolve():
            raise RecipeError([
                Problem(
                    recipe.span("target"),
                    f"the target of '{recipe.name}' is '{recipe.written.target}', and that of '{first.name}' is "
                    f"'{first.written.target}' ({first.span('target')})",
                    "recipes are compared by how well they learn one task",
                )
            ])  # fmt: skip
    return first.target


def _not_gained(target: Suite) -> Iterator[Problem]:
    if target.task.answer == "likelihood":
        yield Problem(
            target.span,
            f"the suite '{target.name}' cannot be a target: 'answer: likelihood' compares with the baseline",
            "which is right by definition, so that nothing can be gained; ask for answers",
        )


def _with_consent(target: Suite, general: Sequence[Suite], allowed: bool) -> tuple[list[Suite], list[str]]:
    """The general suites that may be asked, and a note for each that is left out because it runs code.

    Raises:
        InputError: the target runs code and may not, nothing else is left, or code cannot be confined here.
    """
    rest, notes = (list(general), []) if allowed else without_code(general)
    problems = (code_problem(suite, suite.probes, allowed) for suite in [target, *rest])
    if found := list(filter(None, problems)):
        raise InputError(found)
    return rest, [on_command_line(note) for note in notes]


def _sampled(suites: Sequence[Suite], n: int | None) -> tuple[tuple[AskedSuite, ...], list[str]]:
    """The general probes that are asked, and what the user should hear of it."""
    whole = tuple(AskedSuite(suite, suite.probes) for suite in suites)
    pool = {(suite.name, probe.id): probe for suite in suites for probe in suite.probes}
    if n is None or n >= len(pool):
        return whole, []
    drawn = draw(pool, n, SAMPLE_SEED)
    asked = [
        AskedSuite(suite, tuple(probe for probe in suite.probes if (suite.name, probe.id) in drawn))
        for suite in suites
    ]
    notes = [f"a sample of {n:,} of {len(pool):,} general probes (--sample {n})"]
    notes += [
        f"{one.suite.name}: none of its probes is in the sample; it sees nothing"
        for one in asked
        if not one.probes
    ]
    return tuple(one for one in asked if one.probes), notes
