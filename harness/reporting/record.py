"""What a run came to, as a versioned JSON record: everything that a report needs to be rendered again.

`gates` has a row for each case, `probes` both models' answers to each probe, `run` where it all comes from.
Rates are fractions; `drop` is positive when worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from harness.engine.requests import Ended, Generated
from harness.errors import shown_path
from harness.gate.compare import CONFIDENCE, Pair
from harness.gate.verdict import Decision, Outcome, Verdict
from harness.scoring.score import Score
from harness.suites.format import Severity

VERSION: Literal[1] = 1
FILE = "record.json"


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GateRow(_Row):
    """One case. Counts and rates of a comparison are None where the tuned model was asked alone."""

    suite: str
    slice: str
    over: Literal["all", "category", "each"]
    severity: Severity
    place: str
    n: int
    kept: int | None = None
    lost: int | None = None
    gained: int | None = None
    missed: int | None = None
    baseline_accuracy: float | None = None
    tuned_accuracy: float
    drop: float | None = None
    interval: tuple[float, float] | None = None
    confidence: float = CONFIDENCE
    mid_p: float | None = None
    max_drop: float | None = None
    verdict: Verdict | None = None
    outcome: Outcome
    more_probes_to_settle: int | None = None
    undecided: str | None = None
    """Why nothing was decided."""
    baseline_cut: int | None = None
    """How many answers `max_new_tokens` cut off."""
    tuned_cut: int | None = None


class AnswerRow(_Row):
    """What one model answered to a probe, and whether that was right; `ended` is why writing ended, if known."""

    answer: str
    right: bool
    tokens: int | None = None
    ended: Ended | None = None


class ProbeRow(_Row):
    """One probe and both answers; `baseline` is None where it was not asked."""

    suite: str
    id: str
    category: str | None
    severity: Severity
    fields: dict[str, str]
    expected: list[str]
    score: str
    baseline: AnswerRow | None
    tuned: AnswerRow
    change: Literal["kept", "lost", "gained", "missed"] | None


class ModelRow(_Row):
    """One side of the comparison: as the user called it, and by content (SHA-256 of the weights).

    An engine that a fixture of the user's own gives is named by its label, and its weights are not known.
    """

    reference: str
    name: str
    weights: str | None = None
    base_weights: str | None = None
    source: Literal["reference", "fixture"] = "reference"


class CasesRow(_Row):
    """How many cases were selected, and what was not measured of them; `own` are the user's own tests of the tuned model."""

    selected: int
    decided: int
    skipped: int
    excused: int
    errors: int
    never_asked: int
    left_out: int
    own: int


class RunRow(_Row):
    """Where the numbers come from; `untried` are mitigations that the tuned model's recipe lacks, least costly first.

    A run that was killed stays unfinished, and has no exit status.
    """

    harness: str
    started: str
    status: Literal["unfinished", "finished"] = "finished"
    seconds: float
    command: list[str]
    exit_status: int | None
    errors: list[str]
    baseline: ModelRow | None = None
    tuned: ModelRow | None = None
    device: str | None = None
    dtype: str | None = None
    versions: dict[str, str]
    strict: bool
    fail_on: Severity
    notes: list[str] = []
    untried: list[str] = []
    seconds_asking: dict[str, float] = {}
    cases: CasesRow | None = None


class Record(_Row):
    """The record of one run."""

    version: Literal[1] = VERSION
    run: RunRow
    gates: list[GateRow]
    probes: list[ProbeRow]


def gate_row(decision: Decision) -> GateRow:
    """The row of a decided case."""
    case, comparison = decision.case, decision.comparison
    common = {
        "suite": case.suite.name,
        "slice": case.slice,
        "over": case.gate.over,
        "severity": case.severity,
        "place": f"{shown_path(case.span.path)}:{case.span.line}" if case.span else "",
        "max_drop": case.gate.max_drop,
        "verdict": decision.verdict,
        "outcome": decision.outcome,
        "more_probes_to_settle": decision.settling,
        "undecided": decision.why or None,
        "baseline_cut": decision.cut and decision.cut.baseline,
        "tuned_cut": decision.cut and decision.cut.tuned,
    }
    if comparison is None:
        right = sum(pair.tuned.right for pair in decision.pairs)
        return GateRow(**common, n=len(decision.pairs), tuned_accuracy=right / len(decision.pairs))
    return GateRow(
        **common,
        n=comparison.n,
        kept=comparison.kept,
        lost=comparison.lost,
        gained=comparison.gained,
        missed=comparison.missed,
        baseline_accuracy=comparison.baseline_accuracy,
        tuned_accuracy=comparison.tuned_accuracy,
        drop=comparison.drop,
        interval=comparison.interval,
        mid_p=comparison.mid_p,
    )


def probe_row(suite: str, pair: Pair) -> ProbeRow:
    """The row of a probe that was asked."""
    probe = pair.probe
    return ProbeRow(
        suite=suite,
        id=probe.id,
        category=probe.category,
        severity=probe.severity,
        fields=dict(probe.fields) if probe.text is None else {"text": probe.text},
        expected=list(probe.answers),
        score=probe.scorer.name,
        baseline=None if pair.baseline is None else _answer_row(pair.baseline),
        tuned=_answer_row(pair.tuned),
        change=pair.change,
    )


def _answer_row(score: Score) -> AnswerRow:
    """An answer with what UTF-8 cannot hold (half a surrogate pair) escaped, so that it can be written and sent."""
    shown = score.shown.encode("utf-8", "backslashreplace").decode("utf-8")
    written = score.answer if isinstance(score.answer, Generated) else None
    return AnswerRow(
        answer=shown, right=score.right, tokens=written and written.tokens, ended=written and written.ended
    )


def write_record(record: Record, folder: Path) -> Path:
    """Write `record.json` into `folder`, whole or not at all; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    partial = folder / f".{FILE}.partial"
    try:
        partial.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def read_record(path: Path) -> Record:
    """Read a record back; raises pydantic's ValidationError for another version or shape."""
    return Record.model_validate_json(path.read_text(encoding="utf-8"))


def gate_rows(rows: Sequence[GateRow]) -> list[GateRow]:
    """Rows with the worst first: failed, then warned, then the rest; within these by drop."""
    rank = {"failed": 0, "excused": 1, "warned": 2, "skipped": 3, "passed": 4}
    return sorted(rows, key=lambda row: (rank[row.outcome], -(row.drop if row.drop is not None else -2.0)))
