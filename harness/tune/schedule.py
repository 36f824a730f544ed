"""The command line of `tune` in, all that it needs read and checked before anything is trained out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.documents.within import PROJECT, Reach
from harness.engine.settings import Settings
from harness.errors import HarnessError, shown_path
from harness.gate.policy import MAX_DROP_OVERALL
from harness.models.reference import find_full_model
from harness.repair import schedule as halved
from harness.spelling import option
from harness.sweep.schedule import AskedSuite, check_pooled
from harness.sweep.schedule import Schedule as SweepSchedule
from harness.tune.recipes import Plan, write_plan
from harness.writing import system_fault, writing

RECIPES, LADDER, REPAIRS, MODEL, REPORT = "recipes", "ladder", "repairs", "model", "report"
"""The folders in that of a run."""


@dataclass(frozen=True)
class TuneOptions:
    """The command line of `tune`.

    Attributes:
        base: a folder, a hub id or `embedded`.
        general: questions that stand for what must be kept, for self-replay.
        budget: minutes; None for as long as it takes.
        sample: how many of the general probes are asked, for both halves together; None for all.
        seed: of the trainings, the sample and its halves.
        useful: the share of what the base misses on the target that must be learnt, in (0, 1].
        margin: the largest acceptable drop over all suites, a fraction.
    """

    base: str
    corpus: Path
    target: Path
    suites: Sequence[Path]
    out: Path
    general: Path | None = None
    budget: float | None = None
    sample: int | None = None
    seed: int = 0
    useful: float = halved.USEFUL
    margin: float = MAX_DROP_OVERALL
    allow_code: bool = False
    reach: Reach = PROJECT
    command: tuple[str, ...] = ()

    @property
    def of_recipes(self) -> Reach:
        """Where the recipes' data may be: anywhere, if the user named plain files, which lead nowhere else."""
        named = [path for path in (self.corpus, self.general) if path is not None]
        return replace(self.reach, anywhere=self.reach.anywhere or all(path.is_file() for path in named))

    def repair(
        self, model: str = "", out: Path = Path(), useful: float = 0.0, budget: float | None = None
    ) -> halved.RepairOptions:
        """The options of the repair of a model; without one, what reads the suites."""
        return halved.RepairOptions(
            model=model,
            target=self.target,
            suites=self.suites,
            out=out,
            sample=self.sample,
            seed=self.seed,
            budget=budget,
            useful=useful,
            margin=self.margin,
            allow_code=self.allow_code,
            reach=self.of_recipes if model else self.reach,
            command=self.command,
        )


@dataclass(frozen=True)
class Schedule:
    """The recipes, the ladder over the probes that choose, and both halves of the probes."""

    plan: Plan
    ladder: SweepSchedule
    halves: halved.Schedule


def read_schedule(options: TuneOptions, settings: Settings) -> Schedule:
    """Read and check everything, and write the recipes.

    Raises:
        SuiteError, InputError: suites cannot be read.
        RecipeError: the corpus cannot be read.
        ModelError: the base cannot be found.
        HarnessError: the corpus is missing, there are too few probes, or the folder cannot be written.
    """
    for path in filter(None, (options.corpus, options.general)):
        if not path.exists():
            raise HarnessError(f"{shown_path(path)}: no such file\n  give prompts and answers to train on")
    halves = halved.read_schedule(options.repair(), settings)
    base = find_full_model(options.base, settings.allowed)
    cannot = f"{option('out', shown_path(options.out))}: cannot be written"
    with writing(cannot, f"name another folder: {option('out', 'DIR')}", system_fault):
        plan = write_plan(
            options.out / RECIPES, options.base, options.corpus, options.target,
            options.general, options.seed, options.of_recipes,
        )  # fmt: skip
    keys = halves.selection.keys
    general = [
        AskedSuite(suite, tuple(probe for probe in suite.probes if (suite.name, probe.id) in keys))
        for suite in halves.suites
    ]
    target = AskedSuite(halves.target, halves.selection.target)
    asked = tuple(filter(lambda each: each.probes, general))
    check_pooled(asked)
    ladder = SweepSchedule(plan.recipes, base, target, asked, halves.notes)
    return Schedule(plan, ladder, halves)
