"""What a run came to, as a versioned JSON record: everything that a report needs to be rendered again.

`gates` has a row for each case, `probes` both models' answers to each probe, `run` where it all comes from.
Rates are fractions; `drop` is positive when worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, ValidationError, model_serializer

from harness.engine.answers import as_answer, as_data, request_key
from harness.engine.prompts import request
from harness.engine.requests import Answer, Ended
from harness.errors import HarnessError, NoEvidenceError, reason, shown_path
from harness.gate.cases import Case
from harness.gate.compare import Pair
from harness.gate.verdict import Decision, Outcome, Verdict
from harness.scoring.score import Score
from harness.stats.paired import CONFIDENCE
from harness.suites.format import AnswerKind, OnInconclusive
from harness.suites.severity import Severity
from harness.suites.suite import EachGate, Suite
from harness.visible import encodable, visible_json
from harness.writing import write_whole

VERSION: Literal[1] = 1
FILE = "record.json"

R = TypeVar("R", bound=BaseModel)


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
    on_inconclusive: OnInconclusive | None = None
    require: Literal["retained", "pass"] | None = None
    verdict: Verdict | None = None
    outcome: Outcome
    more_probes_to_settle: int | None = None
    undecided: str | None = None
    """Why nothing was decided."""
    baseline_cut: int | None = None
    """How many answers `max_new_tokens` cut off."""
    tuned_cut: int | None = None
    probes: list[str] | None = None
    """The ids of its probes, where these are a sample of its slice."""


class AnswerRow(_Row):
    """What one model answered to a probe, whether that was right, and all that it was judged by.

    `answer` is the text of a generated answer, the choice that was chosen, or the bits per byte of a text; `logprobs` are in
    nats, one for each choice, or one for a text of `tokens` tokens out of a `vocabulary` of so many. `ended` is why writing
    ended, if known. `reasoning` is what was taken off before the answer was judged. What there is none of is left out.
    """

    answer: str
    right: bool
    kind: AnswerKind | None = None
    """None in a record of an older version, which kept no more than what is shown."""
    tokens: int | None = None
    ended: Ended | None = None
    logprobs: list[float] | None = None
    vocabulary: int | None = None
    reasoning: str | None = None
    reasoning_tokens: int | None = None
    reasoning_ended: bool | None = None

    @classmethod
    def of(cls, score: Score) -> AnswerRow:
        """The row of a score; half a surrogate pair, which cannot be written or sent, is escaped."""
        data = {} if score.answer is None else as_data(score.answer)
        data.pop("text", None)  # which is what is shown
        return cls(answer=encodable(score.shown), right=score.right, **data)

    def raw(self) -> Answer:
        """The answer as the engine gave it; raises NoEvidenceError where an older version did not keep it."""
        if self.kind is None:
            raise NoEvidenceError("a record of an older version keeps no whole answers\n  run the gate again")
        return as_answer({**self.model_dump(), "text": self.answer})

    @model_serializer(mode="wrap")
    def _without_what_was_not(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        row: dict[str, Any] = written(self)
        return {key: value for key, value in row.items() if value is not None or key in ("tokens", "ended")}


class ProbeRow(_Row):
    """One probe and both answers; `baseline` is None where it was not asked."""

    suite: str
    id: str
    category: str | None
    severity: Severity
    fields: dict[str, str]
    expected: list[str]
    score: str
    scoring: Any = None
    """The parameters of the score, as YAML holds them."""
    choices: list[str] = []
    asked: str | None = None
    """What stands for all that both models were shown (SHA-256)."""
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
    template: dict[str, dict[str, Any]] = {}
    """By suite, the arguments that chat templates were given, where there were any."""
    thinking_tokens: dict[str, int] = {}
    """By suite, the room for reasoning that it or the run gives."""
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
        "verdict": decision.verdict,
        "outcome": decision.outcome,
        "more_probes_to_settle": decision.settling,
        "undecided": decision.why or None,
        "baseline_cut": decision.cut and decision.cut.baseline,
        "tuned_cut": decision.cut and decision.cut.tuned,
        **_rule(case),
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


def _rule(case: Case) -> dict[str, Any]:
    """What a gate asks of its slice."""
    gate = case.gate
    if isinstance(gate, EachGate):
        return {"require": gate.require}
    whole = len(case.probes) == len(gate.slices(case.suite)[case.slice])
    return {
        "max_drop": gate.max_drop,
        "on_inconclusive": gate.on_inconclusive,
        "probes": None if whole else [probe.id for probe in case.probes],
    }


def probe_row(suite: Suite, pair: Pair) -> ProbeRow:
    """The row of a probe that was asked."""
    probe = pair.probe
    return ProbeRow(
        suite=suite.name,
        id=probe.id,
        category=probe.category,
        severity=probe.severity,
        fields=dict(probe.fields) if probe.text is None else {"text": probe.text},
        expected=list(probe.answers),
        score=probe.scorer.name,
        scoring=probe.scorer.written(),
        choices=list(probe.choices),
        asked=request_key(request(suite, probe)),
        baseline=None if pair.baseline is None else AnswerRow.of(pair.baseline),
        tuned=AnswerRow.of(pair.tuned),
        change=pair.change,
    )


def reasoning_line(probes: Sequence[ProbeRow]) -> str | None:
    """How much each model thought before it answered, and how often it came to no end, in a line; None if neither did."""
    sides = {
        "baseline": [row.baseline for row in probes if row.baseline is not None],
        "tuned model": [row.tuned for row in probes],
    }
    if not any(row.reasoning_tokens is not None for rows in sides.values() for row in rows):
        return None
    return "reasoning: " + "; ".join(_thought(side, rows) for side, rows in sides.items() if rows)


def _thought(side: str, rows: Sequence[AnswerRow]) -> str:
    tokens = sum(row.reasoning_tokens or 0 for row in rows) / len(rows)
    unended = sum(row.reasoning_ended is False for row in rows)
    return f"the {side} wrote {tokens:.0f} tokens on average, and did not end it in {unended} of {len(rows)} answers"


def render(record: Record) -> str:
    """The record itself, as JSON."""
    return visible_json(record.model_dump_json(indent=1))


def write_record(record: Record, folder: Path) -> Path:
    """Write `record.json` into `folder`, whole or not at all; returns its path; raises OSError."""
    path = folder / FILE
    write_whole(path, render(record) + "\n")
    return path


def read_record(path: Path) -> Record:
    """Read a record back; raises HarnessError for one that cannot be read, or of another version or shape."""
    return read_back(path, Record, "the record of a run", VERSION)


def read_back(path: Path, kind: type[R], what: str, version: int) -> R:
    """Read what was written as JSON.

    Args:
        what: what should stand there, for the error.

    Raises:
        HarnessError: the file cannot be read, or is of another version or shape.
    """
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HarnessError(f"{shown_path(path)}: {what} cannot be read: {reason(error)}") from error
    except (ValidationError, UnicodeDecodeError) as error:
        seen = " ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise HarnessError(f"{shown_path(path)}: not {what}, version {version}: {seen}") from error


def gate_rows(rows: Sequence[GateRow]) -> list[GateRow]:
    """Rows with the worst first: failed, then warned, then the rest; within these by drop."""
    rank = {"failed": 0, "excused": 1, "warned": 2, "skipped": 3, "passed": 4}
    return sorted(rows, key=lambda row: (rank[row.outcome], -(row.drop if row.drop is not None else -2.0)))
