"""The results of a sequence as a versioned JSON record: everything that its pages need. Rates are fractions."""

from __future__ import annotations

from typing import Literal

from harness.recipes.format import RecipeFormat
from harness.reporting.row import Row
from harness.reporting.rows import AnswerRow, GateRow
from harness.stats.paired import CONFIDENCE

VERSION: Literal[1] = 1
FILE = "sequence.json"


class RateRow(Row):
    """An accuracy, or a drop of it, with its interval."""

    value: float
    interval: tuple[float, float]


class MeasureRow(Row):
    """A measure of the whole sequence with its interval."""

    name: str
    value: float
    interval: tuple[float, float]


class TaskRow(Row):
    """A task: its recipe, and the suite that measures it."""

    name: str
    recipe: RecipeFormat
    path: str
    suite: str
    target: str
    probes: list[str]


class StepRow(Row):
    """The model before any task, where `after` is None, or after one."""

    after: str | None
    accuracy: list[RateRow]
    """On each task."""
    answers: dict[str, list[AnswerRow]]
    """By suite, of its probes in order."""
    drop: RateRow | None = None
    """Over all general probes, the accuracy lost since the base; None before any task, and without general suites."""
    gates: list[GateRow] = []
    """The decisions of the general suites' gates against the base."""
    seconds_training: float | None = None

    @property
    def failed(self) -> list[GateRow]:
        """The gates that failed."""
        return [row for row in self.gates if row.outcome == "failed"]

    @property
    def decided(self) -> list[GateRow]:
        """The gates that decided something."""
        return [row for row in self.gates if row.outcome in ("passed", "warned", "failed")]


class SequenceRun(Row):
    """Where the numbers come from."""

    harness: str
    started: str
    command: list[str]
    base: str
    weights: str
    device: str | None
    dtype: str | None
    versions: dict[str, str]
    sample: int | None
    notes: list[str] = []


class SequenceRecord(Row):
    """The record of one sequence; until it is finished, `steps` lacks some and `measures` is empty."""

    version: Literal[1] = VERSION
    run: SequenceRun
    confidence: float = CONFIDENCE
    tasks: list[TaskRow]
    general: list[str]
    """The names of the general suites."""
    steps: list[StepRow]
    measures: list[MeasureRow] = []

    @property
    def finished(self) -> bool:
        return len(self.steps) == len(self.tasks) + 1
