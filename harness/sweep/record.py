"""The results of a sweep as a versioned JSON record: everything that its reports need.

`target` and `suites` hold the probes and the baseline's answers, `rungs` a row for each recipe: every answer of its
tuned models, and the numbers that follow. Rates are fractions; `drop` is positive when worse, `gain` when better.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from harness.engine.requests import LogLikelihood
from harness.errors import HarnessError, did_you_mean
from harness.gate.pooling import Unit
from harness.gate.verdict import MARGIN, Verdict
from harness.recipes.format import RecipeFormat
from harness.reporting.exit_code import exit_code
from harness.reporting.record import read_back, write_json
from harness.reporting.row import Row
from harness.reporting.rows import AnswerRow, GateRow
from harness.stats.paired import CONFIDENCE
from harness.sweep.ranking import Learning
from harness.writing import writing_report

VERSION: Literal[1] = 1
FILE = "ladder.json"


class AskedRow(Row):
    """One probe and the baseline's answer."""

    id: str
    category: str | None
    cluster: str | None = None
    fields: dict[str, str]
    expected: list[str]
    baseline: AnswerRow
    measured: LogLikelihood | None = None
    """Of an older version, whose rows did not keep the whole answer."""


class SuiteRow(Row):
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

    @property
    def units(self) -> list[Unit]:
        """What each probe goes together with."""
        return [Unit(self.name, probe.cluster) for probe in self.probes]

    @property
    def is_of_texts(self) -> bool:
        """Whether its probes are texts, of which no answer is right or wrong: they are not pooled with others."""
        return any(probe.baseline.kind == "likelihood" or probe.measured for probe in self.probes)


class SeedRow(Row):
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

    @property
    def passes(self) -> bool | None:
        """Whether the gates pass, all decided together as in any run; None if none, or none of a suite, decided anything."""
        return {0: True, 1: False}.get(exit_code(self.gates))

    def right(self, suites: Sequence[SuiteRow]) -> list[bool]:
        """Whether it is right on each probe of these general suites, suite by suite."""
        return [answer.right for suite in suites for answer in self.suites[suite.name]]


class EffectRow(Row):
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


class MeasuredRow(Row):
    """The effect of a recipe on its target task and on the general suites."""

    gain: float
    gain_interval: tuple[float, float]
    drop: float
    drop_interval: tuple[float, float]
    verdict: Verdict
    target: EffectRow
    general: EffectRow
    by_suite: dict[str, EffectRow]
    """Of the suites that are pooled."""
    rises: dict[str, float] = {}
    """Of each suite of texts, the mean rise of the bits per byte, a fraction."""


class RecipeRow(Row):
    """One recipe. A failed one has an `error`; an unfinished one has neither that nor `measured`.

    `rank` is None for one that learnt less, and goes by `ranking_drop`; `front`: it is Pareto-optimal.
    """

    name: str
    path: str
    recipe: RecipeFormat
    seeds: list[SeedRow]
    error: str | None = None
    measured: MeasuredRow | None = None
    rank: int | None = None
    learning: Learning | None = None
    """How its gain compares with the largest one; None without a ranking."""
    ranking_drop: float | None = None
    """Its drop over the general probes that decide the order."""
    learnt: bool = False
    front: bool = False

    @property
    def seconds_training(self) -> float | None:
        """The mean over the seeds; None if it is unknown for one of them."""
        known = [seed.seconds_training for seed in self.seeds if seed.seconds_training is not None]
        return sum(known) / len(known) if known and len(known) == len(self.seeds) else None


class HeldOutRow(Row):
    """The recipe that is ranked first, over the general probes that had no part in ranking it.

    `ranked_on` is the number of those that had; `alike` names the ranked recipes that these probes cannot tell it from.
    """

    ranked_on: int
    effect: EffectRow
    verdict: Verdict
    alike: list[str]


class SweepRun(Row):
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


class SweepRecord(Row):
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
    held_out: HeldOutRow | None = None
    """None where no recipe was chosen by its drop, because fewer than two have ranks, or there are too few probes."""

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

    def verdict(self, row: RecipeRow) -> Verdict | None:
        """The verdict on a measured recipe; of one that was chosen by its drop, from the probes that did not choose it."""
        if self.held_out is not None and row.rank == 1:
            return self.held_out.verdict
        return None if row.measured is None else row.measured.verdict


def check_reference(name: str | None, names: Sequence[str]) -> None:
    """Refuse a reference that is none of the recipes `names`; raises HarnessError."""
    if name is not None and name not in names:
        near = did_you_mean(name, names) or f"there are: {', '.join(names)}"
        raise HarnessError(f"--from {name}: no recipe of this ladder has that name\n  {near}")


def write_sweep(record: SweepRecord, folder: Path) -> None:
    """Write `ladder.json` into `folder`, whole or not at all; raises HarnessError if it cannot be written."""
    with writing_report(folder):
        write_json(folder / FILE, record)


def read_sweep(folder: Path, name: str = FILE) -> SweepRecord:
    """Read the record of a sweep back.

    Raises:
        HarnessError: there is none in the folder, or it is of another version or shape.
    """
    return read_back(folder / name, SweepRecord, "the record of a ladder", VERSION)
