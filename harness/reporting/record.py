"""The result of a run as a versioned JSON record, with everything that is needed to render any report again.

`gates` has a row for each case, `probes` both models' answers to each probe, `run` the models, versions and options.
Rates are fractions; `drop` is positive when worse.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, ValidationError, model_serializer

from harness.engine.answers import as_answer, as_data, request_key
from harness.engine.prompts import request
from harness.engine.requests import Answer, Ended
from harness.errors import HarnessError, NoEvidenceError, reason, shown_path
from harness.gate.cases import Case
from harness.gate.compare import Comparison, Pair
from harness.gate.verdict import Decision, Outcome, Verdict
from harness.scoring.score import Score
from harness.stats.paired import CONFIDENCE
from harness.suites.format import AnswerKind, OnInconclusive
from harness.suites.severity import Severity
from harness.suites.suite import EachGate, Suite
from harness.visible import encodable, visible_json
from harness.writing import write_whole, writing_report

VERSION: Literal[1] = 1
FILE = "record.json"
COMPARED = (
    "n", "kept", "lost", "gained", "missed", "baseline_accuracy", "tuned_accuracy", "drop", "interval", "mid_p",
)  # fmt: skip
"""The keys of a GateRow that a Comparison has too."""

R = TypeVar("R", bound=BaseModel)


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GateRow(_Row):
    """One case. The counts and rates of a comparison are None if the tuned model alone was asked."""

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
    """The reason why nothing was decided."""
    baseline_cut: int | None = None
    """The number of answers that `max_new_tokens` cut off."""
    tuned_cut: int | None = None
    probes: list[str] | None = None
    """The ids of its probes, if they are a sample of its slice."""


class AnswerRow(_Row):
    """One model's answer to a probe, whether it was right, and everything that decided that.

    `answer` is the generated text, the choice, or the bits per byte of a text. `logprobs` are in nats: one for each choice, or
    one for a text of `tokens` tokens, from a vocabulary of `vocabulary`. `ended` is why generation ended, if known.
    `reasoning` was removed before the answer was scored. Keys without a value are left out of the JSON.
    """

    answer: str
    right: bool
    kind: AnswerKind | None = None
    """None in a record of an older version, which kept only `answer` and `right`."""
    tokens: int | None = None
    ended: Ended | None = None
    logprobs: list[float] | None = None
    vocabulary: int | None = None
    reasoning: str | None = None
    reasoning_tokens: int | None = None
    reasoning_ended: bool | None = None

    @classmethod
    def of(cls, score: Score) -> AnswerRow:
        """The row of a score; lone surrogates, which UTF-8 cannot encode, are escaped."""
        data = {} if score.answer is None else as_data(score.answer)
        data.pop("text", None)  # `shown` is the same
        return cls(answer=encodable(score.shown), right=score.right, **data)

    def raw(self) -> Answer:
        """The answer as the engine gave it; raises NoEvidenceError if an older version did not keep it."""
        if self.kind is None:
            raise NoEvidenceError("a record of an older version has no raw answers\n  run the gate again")
        return as_answer({**self.model_dump(), "text": self.answer})

    @model_serializer(mode="wrap")
    def _without_empty(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        row: dict[str, Any] = written(self)
        return {key: value for key, value in row.items() if value is not None or key in ("tokens", "ended")}


class ProbeRow(_Row):
    """One probe and both answers; `baseline` is None if it was not asked."""

    suite: str
    id: str
    category: str | None
    severity: Severity
    fields: dict[str, str]
    expected: list[str]
    score: str
    scoring: Any = None
    """The parameters of the score, as in YAML."""
    choices: list[str] = []
    asked: str | None = None
    """The content key (SHA-256) of everything that both models were shown."""
    baseline: AnswerRow | None
    tuned: AnswerRow
    change: Literal["kept", "lost", "gained", "missed"] | None


class ModelRow(_Row):
    """One side of the comparison: the user's reference, and the SHA-256 of the weights.

    The engine of a user's own fixture is named by its label, and its weights are unknown.
    """

    reference: str
    name: str
    weights: str | None = None
    base_weights: str | None = None
    source: Literal["reference", "fixture"] = "reference"


class CasesRow(_Row):
    """How many cases were selected, and how they ended; `own` counts the user's own tests of the tuned model."""

    selected: int
    decided: int
    skipped: int
    excused: int
    errors: int
    never_asked: int
    left_out: int
    own: int


class RunRow(_Row):
    """The origin of the numbers; `untried` are mitigations that the tuned model's recipe lacks, least costly first.

    The record of a run that was killed stays "unfinished", without an exit status.
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
    """The chat template arguments of each suite that has any."""
    thinking_tokens: dict[str, int] = {}
    """The most tokens of reasoning, for each suite that limits them."""
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
    if comparison is not None:
        return GateRow(**common, **compared(comparison))
    right = sum(pair.tuned.right for pair in decision.pairs)
    return GateRow(**common, n=len(decision.pairs), tuned_accuracy=right / len(decision.pairs))


def compared(comparison: Comparison) -> dict[str, Any]:
    """The values of a GateRow that its comparison gives."""
    return {name: getattr(comparison, name) for name in COMPARED}


def _rule(case: Case) -> dict[str, Any]:
    """The rule of a gate."""
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


def render(record: Record) -> str:
    """The record itself, as JSON."""
    return visible_json(record.model_dump_json(indent=1))


def write_record(record: Record, folder: Path) -> Path:
    """Write `record.json` into `folder`, whole or not at all; returns its path; raises HarnessError."""
    path = folder / FILE
    with writing_report(folder):
        write_whole(path, render(record) + "\n")
    return path


def read_record(path: Path) -> Record:
    """Read a record; raises HarnessError as `read_back` does."""
    return read_back(path, Record, "the record of a run", VERSION)


def read_back(path: Path, kind: type[R], what: str, version: int) -> R:
    """Read a JSON document.

    Args:
        what: the name of the document, for the error.

    Raises:
        HarnessError: the file cannot be read, or has another version or shape.
    """
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HarnessError(f"{shown_path(path)}: {what} cannot be read: {reason(error)}") from error
    except (ValidationError, UnicodeDecodeError) as error:
        seen = " ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise HarnessError(f"{shown_path(path)}: not {what}, version {version}: {seen}") from error
