"""The results of a sweep as a versioned JSON record: everything that its reports need.

`target` and `suites` hold the probes and the baseline's answers, `rungs` a row for each recipe: every answer of its
tuned models, and the numbers that follow. Rates are fractions; `drop` is positive when worse, `gain` when better.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from harness.engine.requests import LogLikelihood
from harness.errors import HarnessError, NoEvidenceError, did_you_mean
from harness.gate.pooling import Pooled, pool
from harness.gate.verdict import MARGIN, Verdict, judge
from harness.recipes.format import RecipeFormat
from harness.reporting.record import AnswerRow, GateRow, read_back
from harness.stats.paired import CONFIDENCE
from harness.sweep.ranking import RecipeResult, Standing, pareto_optimal, rank, reference
from harness.visible import visible_json
from harness.writing import write_whole, writing_report

VERSION: Literal[1] = 1
FILE = "ladder.json"


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AskedRow(_Row):
    """One probe and the baseline's answer."""

    id: str
    category: str | None
    fields: dict[str, str]
    expected: list[str]
    baseline: AnswerRow
    measured: LogLikelihood | None = None
    """Of an older version, whose rows did not keep the whole answer."""


class SuiteRow(_Row):
    """A suite as it was asked; `key` is that of its content, the baseline and the settings."""

    name: str
    path: str
    about: str
    key: str
    of: int
    """The number of probes in the suite, asked or not."""
    probes: list[AskedRow]

    @property
    def baseline(self) -> list[bool]:
        """Whether the baseline is right, probe by probe."""
        return [probe.baseline.right for probe in self.probes]


class SeedRow(_Row):
    """A recipe trained under one seed, and its answers: `target`, and `suites` by name, in the probes' order.

    `key` is that of everything that they depend on. `seconds_training` is None where a killed training went on, or the
    model comes from an earlier version that did not note it.
    """

    seed: int
    key: str
    seconds_training: float | None
    seconds_asking: float
    target: list[AnswerRow]
    suites: dict[str, list[AnswerRow]]
    gates: list[GateRow] = []
    """The decisions of the general suites' gates."""
    notes: list[str] = []

    def right(self, suites: Sequence[SuiteRow]) -> list[bool]:
        """Whether it is right on each probe of these general suites, suite by suite."""
        return [answer.right for suite in suites for answer in self.suites[suite.name]]


class EffectRow(_Row):
    """Before and after over some probes: harness.gate.pooling.Pooled; `lost` and `gained` are means over the seeds."""

    n: int
    lost: float
    gained: float
    baseline_accuracy: float
    tuned_accuracy: float
    drop: float
    interval: tuple[float, float]
    smallest_drop: float
    largest_drop: float


class MeasuredRow(_Row):
    """The effect of a recipe on its target task and on the general suites."""

    gain: float
    gain_interval: tuple[float, float]
    drop: float
    drop_interval: tuple[float, float]
    verdict: Verdict
    target: EffectRow
    general: EffectRow
    by_suite: dict[str, EffectRow]


class RecipeRow(_Row):
    """One recipe. A failed one has an `error`; an unfinished one has neither that nor `measured`.

    `rank` is None for one that learnt less than the matched; `front`: it is Pareto-optimal.
    """

    name: str
    path: str
    recipe: RecipeFormat
    seeds: list[SeedRow]
    error: str | None = None
    measured: MeasuredRow | None = None
    rank: int | None = None
    learnt: bool = False
    front: bool = False

    @property
    def seconds_training(self) -> float | None:
        """The mean over the seeds; None if it is unknown for one of them."""
        known = [seed.seconds_training for seed in self.seeds if seed.seconds_training is not None]
        return sum(known) / len(known) if known and len(known) == len(self.seeds) else None


class SweepRun(_Row):
    """Where the numbers come from."""

    harness: str
    started: str
    command: list[str]
    base: str
    weights: str
    device: str
    dtype: str
    versions: dict[str, str]
    sample: int | None
    seeds: list[int] | None
    notes: list[str] = []


class SweepRecord(_Row):
    """The record of one sweep; `planned` names its recipes, of which `rungs` lacks some until it is finished."""

    version: Literal[1] = VERSION
    run: SweepRun
    confidence: float = CONFIDENCE
    margin: float = MARGIN
    """The largest acceptable drop over all general probes, for the verdict of each recipe."""
    matched: float
    reference: str | None
    """The recipe that the others are compared with; None if the recipes cannot be ranked."""
    asked_for: str | None
    """The reference that the user chose."""
    planned: list[str]
    target: SuiteRow
    suites: list[SuiteRow]
    rungs: list[RecipeRow]
    unranked: str | None = None
    """Why the recipes have no ranks."""

    @property
    def missing(self) -> list[str]:
        """The recipes that were not tried to their end yet."""
        tried = {row.name for row in self.rungs if row.measured or row.error}
        return [name for name in self.planned if name not in tried]

    @property
    def measured(self) -> list[tuple[RecipeRow, MeasuredRow]]:
        """The recipes that were measured, each with its measurement."""
        return [(row, row.measured) for row in self.rungs if row.measured]

    @property
    def has_several_seeds(self) -> bool:
        return any(len(row.seeds) > 1 for row in self.rungs)

    def recipe(self, name: str | None) -> RecipeRow | None:
        """The recipe of that name, if there is one."""
        return next((row for row in self.rungs if row.name == name), None)

    def learnt_less(self, row: RecipeRow) -> bool:
        """Whether a measured recipe learnt too little for its drop to be compared."""
        return self.unranked is None and row.rank is None


def recipe_row(
    path: str,
    recipe: RecipeFormat,
    seeds: Sequence[SeedRow],
    target: SuiteRow,
    suites: Sequence[SuiteRow],
    *,
    of: int,
    error: str | None = None,
) -> RecipeRow:
    """The row of a recipe: measured once it has `of` seeds, failed if it failed under any of them."""
    measured = _measured(seeds, target, suites) if error is None and len(seeds) == of else None
    return RecipeRow(
        name=recipe.recipe, path=path, recipe=recipe, seeds=list(seeds), error=error, measured=measured
    )


def _measured(seeds: Sequence[SeedRow], target: SuiteRow, suites: Sequence[SuiteRow]) -> MeasuredRow:
    learnt = pool(
        [target.baseline] * len(seeds), [[answer.right for answer in seed.target] for seed in seeds]
    )
    general = _general(seeds, suites)
    low, high = learnt.interval
    return MeasuredRow(
        gain=-learnt.drop + 0.0,  # never -0.0
        gain_interval=(-high, -low),
        drop=general.drop,
        drop_interval=general.interval,
        verdict=judge(general, MARGIN),
        target=_effect(learnt),
        general=_effect(general),
        by_suite={suite.name: _effect(_general(seeds, [suite])) for suite in suites},
    )


def _general(seeds: Sequence[SeedRow], suites: Sequence[SuiteRow]) -> Pooled:
    """The baseline and the tuned models over all probes of these general suites."""
    before = [right for suite in suites for right in suite.baseline]
    return pool([before] * len(seeds), [seed.right(suites) for seed in seeds])


def _effect(pooled: Pooled) -> EffectRow:
    return EffectRow.model_validate(pooled, from_attributes=True)


def ranked(record: SweepRecord) -> SweepRecord:
    """The record with its recipes in the order of their ranks, those without a measurement last; the reference chosen.

    Raises:
        HarnessError: the reference that was asked for is no recipe of this sweep.
    """
    check_reference(record.asked_for, record.planned)
    results = [
        RecipeResult(row.name, measured.gain, measured.gain_interval, measured.drop, row.seconds_training)
        for row, measured in record.measured
    ]
    unranked = chosen = None
    try:
        standings = rank(results, record.matched)
        chosen = reference(standings).name
    except NoEvidenceError as error:
        unranked = error.on_command_line
        best = pareto_optimal(results)
        standings = [Standing(result, None, False, result.name in best) for result in results]
    if chosen and record.asked_for is not None:
        chosen = record.asked_for if record.asked_for in {result.name for result in results} else None
    rows = {row.name: row for row in record.rungs}
    placed = [
        rows.pop(standing.result.name).model_copy(
            update={"rank": standing.rank, "learnt": standing.learnt, "front": standing.pareto_optimal}
        )
        for standing in standings
    ]
    return record.model_copy(
        update={"rungs": [*placed, *rows.values()], "unranked": unranked, "reference": chosen}
    )


def check_reference(name: str | None, names: Sequence[str]) -> None:
    """Refuse a reference that is none of the recipes `names`; raises HarnessError."""
    if name is not None and name not in names:
        near = did_you_mean(name, names) or f"there are: {', '.join(names)}"
        raise HarnessError(f"--from {name}: no recipe of this ladder has that name\n  {near}")


def write_sweep(record: SweepRecord, folder: Path) -> Path:
    """Write `ladder.json` into `folder`, whole or not at all; returns its path.

    Raises:
        HarnessError: it cannot be written.
    """
    path = folder / FILE
    with writing_report(folder):
        write_whole(path, visible_json(record.model_dump_json(indent=1)) + "\n")
    return path


def read_sweep(folder: Path) -> SweepRecord:
    """Read the record of a sweep back.

    Raises:
        HarnessError: there is none in the folder, or it is of another version or shape.
    """
    return read_back(folder / FILE, SweepRecord, "the record of a ladder", VERSION)
