"""The results of a repair as a versioned JSON record. Rates are fractions; `drop` is positive when worse, `gain` when better."""

from __future__ import annotations

from typing import Literal

from harness.reporting.row import Row
from harness.reporting.rows import GateRow
from harness.reporting.run_rows import ModelRow
from harness.stats.paired import CONFIDENCE
from harness.training.edits.edit import Form, Pruning
from harness.wording import points

VERSION: Literal[1] = 1
FILE = "repair.json"

Standing = Literal["passes", "fails", "gain gone", "loses too much"]
"""What the selection probes say of a candidate; the last two were not asked all of them."""

Outcome = Literal["repaired", "unchanged", "nothing passes", "not confirmed", "undecided"]


class EffectRow(Row):
    """Before and after over some probes; `drop` is that of all pooled suites, and None if none of them is pooled."""

    gain: float
    gain_interval: tuple[float, float]
    target_probes: int
    target_baseline: float
    """The share of the target's probes that the baseline has right."""
    drop: float | None = None
    drop_interval: tuple[float, float] | None = None
    general_probes: int = 0
    """Those that are pooled."""
    lost: int = 0
    gained: int = 0
    failed: list[str] = []
    """The gates that fail."""


class CandidateRow(Row):
    """One candidate over the selection probes. `strengths` are by group, `keep` is the share of values that pruning leaves."""

    name: str
    form: Form
    strengths: dict[str, float]
    pruning: Pruning | None
    keep: float
    standing: Standing
    effect: EffectRow
    seconds: float


class ConfirmedRow(Row):
    """The chosen candidate over the confirmation probes, which no other candidate was asked."""

    effect: EffectRow
    tuned_gain: float
    """The gain of the tuned model as it is, over the same probes of the target."""
    exit_status: int
    """As of a run of the gate."""
    gates: list[GateRow]


def ended(standing: Standing, effect: EffectRow, margin: float) -> str:
    """The standing in words; with the margin (a fraction) where the drop is over it and no gate failed."""
    if standing == "fails" and not effect.failed:
        return f"fails, over {points(margin)}"
    return standing


class RepairRecord(Row):
    """The record of one repair; `chosen` is the name of a candidate, `confirmed` what the other half says of it."""

    version: Literal[1] = VERSION
    harness: str
    started: str
    seconds: float
    command: list[str]
    model: ModelRow
    baseline: ModelRow
    device: str | None
    dtype: str | None
    target: str
    suites: list[str]
    seed: int
    sample: int | None
    useful: float
    margin: float
    strict: bool
    confidence: float = CONFIDENCE
    groups: list[str]
    candidates: list[CandidateRow]
    complete: bool = True
    """Whether the search ended before the budget."""
    outcome: Outcome
    reason: str = ""
    chosen: str | None = None
    confirmed: ConfirmedRow | None = None
    notes: list[str] = []
