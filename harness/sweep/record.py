"""What the recipes of a ladder came to, as a versioned JSON record: everything that its reports need.

`target` and `suites` hold the probes and the baseline's answers, `rungs` a row for each recipe: every answer of its
tuned models, and what follows from them. Rates are fractions; `drop` is positive when worse, `gain` when better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from harness.engine.requests import LogLikelihood
from harness.errors import HarnessError, NoEvidenceError, did_you_mean
from harness.gate.pooling import Pooled, pool
from harness.gate.verdict import MARGIN, Verdict, judge
from harness.recipes.format import RecipeFormat
from harness.reporting.record import AnswerRow, GateRow, read_back
from harness.spelling import option
from harness.stats.paired import CONFIDENCE
from harness.sweep.ranking import RecipeResult, Standing, pareto_optimal, rank, reference
from harness.visible import visible_json
from harness.writing import ELSEWHERE, system_fault, write_whole, writing

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
    """Of an older version, whose answers were not whole."""


class SuiteRow(_Row):
    """A suite as it was asked; `key` stands for its content, the baseline and the settings."""

    name: str
    path: str
    about: str
    key: str
    of: int
    """How many probes the whole suite has."""
    probes: list[AskedRow]

    @property
    def baseline(self) -> list[bool]:
        """Whether the baseline is right, probe by probe."""
        return [probe.baseline.right for probe in self.probes]


class SeedRow(_Row):
    """A recipe trained under one seed, and its answers: `target`, and `suites` by name, in the probes' order.

    `key` stands for all that they depend on. `seconds_training` is None where a killed training went
    on or the model comes from an earlier version that did not note it.
    """

    seed: int
    key: str
    seconds_training: float | None
    seconds_asking: float
    target: list[AnswerRow]
    suites: dict[str, list[AnswerRow]]
    gates: list[GateRow] = []
    """What the gates of the general suites decide of it."""
    notes: list[str] = []

    def right(self, suites: Sequence[SuiteRow]) -> list[bool]:
        """Whether it is right on each probe of these general suites, one after another."""
        return [answer.right for suite in suites for answer in self.suites[suite.name]]


class EffectRow(_Row):
    """Before and after over some probes; `lost` and `gained` are means over the seeds, so not whole numbers."""

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
    """What a recipe did to its target task and to the rest."""

    gain: float
    gain_interval: tuple[float, float]
    drop: float
    drop_interval: tuple[float, float]
    verdict: Verdict
    target: EffectRow
    general: EffectRow
    by_suite: dict[str, EffectRow]


class RecipeRow(_Row):
    """One recipe. A failed one has an `error`; one that is not finished has neither that nor `measured`.

    `rank` is None for one that learnt less than the matched.
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
        """The mean over the seeds; None where one of them is not known."""
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
    """The record of one ladder; `planned` names its recipes, of which `rungs` lacks some until it is finished."""

    version: Literal[1] = VERSION
    run: SweepRun
    confidence: float = CONFIDENCE
    margin: float = MARGIN
    """The largest acceptable drop over all general probes, by which each rung gets its verdict."""
    matched: float
    reference: str | None
    """The rung that others are held against; None if the ladder cannot be ranked."""
    asked_for: str | None
    """The reference that the user named."""
    planned: list[str]
    target: SuiteRow
    suites: list[SuiteRow]
    rungs: list[RecipeRow]
    unranked: str | None = None
    """Why the rungs have no ranks."""

    @property
    def missing(self) -> list[str]:
        """The recipes that were not tried to their end yet."""
        tried = {rung.name for rung in self.rungs if rung.measured or rung.error}
        return [name for name in self.planned if name not in tried]

    def rung(self, name: str | None) -> RecipeRow | None:
        """The rung of that name, if there is one."""
        return next((rung for rung in self.rungs if rung.name == name), None)


def recipe_row(
    name: str,
    path: str,
    recipe: RecipeFormat,
    seeds: Sequence[SeedRow],
    target: SuiteRow,
    suites: Sequence[SuiteRow],
    *,
    of: int,
    error: str | None = None,
) -> RecipeRow:
    """The row of a recipe; it is measured once it has `of` seeds, and failed if it did under any of them."""
    measured = _measured(seeds, target, suites) if error is None and len(seeds) == of else None
    return RecipeRow(name=name, path=path, recipe=recipe, seeds=list(seeds), error=error, measured=measured)


def _measured(seeds: Sequence[SeedRow], target: SuiteRow, suites: Sequence[SuiteRow]) -> MeasuredRow:
    learnt = pool([target.baseline] * len(seeds), [[one.right for one in seed.target] for seed in seeds])
    before = [right for suite in suites for right in suite.baseline]
    general = pool([before] * len(seeds), [seed.right(suites) for seed in seeds])
    by_suite = {
        suite.name: _effect_row(pool([suite.baseline] * len(seeds), [seed.right([suite]) for seed in seeds]))
        for suite in suites
    }
    low, high = learnt.interval
    return MeasuredRow(
        gain=-learnt.drop + 0.0,  # never -0.0
        gain_interval=(-high, -low),
        drop=general.drop,
        drop_interval=general.interval,
        verdict=judge(general, MARGIN),
        target=_effect_row(learnt),
        general=_effect_row(general),
        by_suite=by_suite,
    )


def _effect_row(pooled: Pooled) -> EffectRow:
    return EffectRow(
        n=pooled.n,
        lost=pooled.lost,
        gained=pooled.gained,
        baseline_accuracy=pooled.baseline_accuracy,
        tuned_accuracy=pooled.tuned_accuracy,
        drop=pooled.drop,
        interval=pooled.interval,
        smallest_drop=pooled.smallest,
        largest_drop=pooled.largest,
    )


def ranked(record: SweepRecord) -> SweepRecord:
    """The record with its rungs in the order of their ranks, those without a measurement last; the reference chosen.

    Raises:
        HarnessError: the reference that was asked for is no recipe of this ladder.
    """
    if record.asked_for is not None and record.asked_for not in record.planned:
        near = did_you_mean(record.asked_for, record.planned) or f"there are: {', '.join(record.planned)}"
        raise HarnessError(f"--from {record.asked_for}: no recipe of this ladder has that name\n  {near}")
    rungs = [_rung(row, row.measured) for row in record.rungs if row.measured]
    rows = {row.name: row for row in record.rungs}
    rest = [row for row in record.rungs if not row.measured]
    try:
        places = rank(rungs, record.matched)
    except NoEvidenceError as error:
        edge = pareto_optimal(rungs)
        unplaced = [rows[rung.name].model_copy(update=_nowhere(rung.name in edge)) for rung in rungs]
        return record.model_copy(
            update={"rungs": [*unplaced, *rest], "unranked": error.on_command_line, "reference": None}
        )
    chosen: str | None = reference(places).name
    if record.asked_for is not None:
        named = rows.get(record.asked_for)
        chosen = named.name if named and named.measured else None
    placed = [rows[place.rung.name].model_copy(update=_placed(place)) for place in places]
    return record.model_copy(update={"rungs": [*placed, *rest], "unranked": None, "reference": chosen})


def _rung(row: RecipeRow, measured: MeasuredRow) -> RecipeResult:
    return RecipeResult(row.name, measured.gain, measured.gain_interval, measured.drop, row.seconds_training)


def _placed(place: Standing) -> Mapping[str, object]:
    return {"rank": place.rank, "learnt": place.learnt, "front": place.pareto_optimal}


def _nowhere(front: bool) -> Mapping[str, object]:
    return {"rank": None, "learnt": False, "front": front}


def write_sweep(record: SweepRecord, folder: Path) -> Path:
    """Write `ladder.json` into `folder`, whole or not at all; returns its path.

    Raises:
        HarnessError: it cannot be written.
    """
    path = folder / FILE
    sentence = f"{option('report', str(folder))}: no record can be written there"
    with writing(sentence, ELSEWHERE, system_fault):
        write_whole(path, visible_json(record.model_dump_json(indent=1)) + "\n")
    return path


def read_sweep(folder: Path) -> SweepRecord:
    """Read a ladder's record back.

    Raises:
        HarnessError: there is none in the folder, or it is of another version or shape.
    """
    return read_back(folder / FILE, SweepRecord, "the record of a ladder", VERSION)
