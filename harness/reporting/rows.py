"""The rows of a record, as its JSON holds them: one class for each part.

Rates are fractions. The text under each field is its line in docs/record.md.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import SerializerFunctionWrapHandler, model_serializer

from harness.engine.answers import as_answer, as_data
from harness.engine.requests import Answer, Ended
from harness.errors import NoEvidenceError
from harness.gate.compare import Pair
from harness.gate.decide import Outcome
from harness.gate.finding import CUT_UNLIKE
from harness.gate.verdict import Verdict
from harness.reporting.row import Row
from harness.reporting.run_rows import (
    AcceptedRow,
    CasesRow,
    ModelRow,
    NoiseRow,
    RunRow,
    SequentialRow,
    SuiteRow,
)
from harness.scoring.score import Score
from harness.stats.paired import CONFIDENCE
from harness.suites.format import AnswerKind, OnInconclusive
from harness.suites.severity import Severity
from harness.visible import encodable

__all__ = [
    "VERSION", "AcceptedRow", "AgainRow", "AnswerRow", "CasesRow", "GateRow", "ModelRow", "NoiseRow", "ProbeRow", "Record", "RunRow",
    "SequentialRow", "SuiteRow",
]  # fmt: skip

VERSION: Literal[1] = 1


class GateRow(Row):
    """One case. The counts and rates of a comparison are null if the tuned model alone was asked."""

    suite: str
    """The name of the suite; `overall` for the gate over all suites."""
    slice: str
    """`all`, `category[NAME]` or `probe[ID]`; `flips` for the gate over the answers of all suites that flip."""
    over: Literal["all", "category", "each", "overall"]
    """As the gate has it in YAML."""
    severity: Severity
    """Of the suite, or of the probe under `each`."""
    place: str
    """The file and line of the gate or the probe."""
    n: int
    """The number of probes."""
    kept: int | None = None
    """Right before and after."""
    lost: int | None = None
    """Right before, wrong after."""
    gained: int | None = None
    """Wrong before, right after."""
    missed: int | None = None
    """Wrong before and after."""
    baseline_accuracy: float | None = None
    """The share that the baseline had right."""
    tuned_accuracy: float
    """The share that the tuned model had right."""
    drop: float | None = None
    """The baseline's accuracy minus the tuned model's; positive when worse."""
    interval: tuple[float, float] | None = None
    """Of the drop, with the `confidence` below."""
    confidence: float = CONFIDENCE
    """Of all intervals."""
    mid_p: float | None = None
    """McNemar's, one-sided: how likely so clear a loss is by chance."""
    holm_mid_p: float | None = None
    """`mid_p`, or `rise_p` for texts, adjusted by Holm among the `tests` slices that are decided together."""
    tests: int | None = None
    """How many slices these are."""
    loss: tuple[float, float] | None = None
    """The interval of the share lost of what the baseline knew."""
    clusters: int | None = None
    """The number of clusters, if any has several probes."""
    design_effect: float | None = None
    """How many times the variance of independent probes the drop has."""
    rise: float | None = None
    """Of texts, the mean rise of the bits per byte, a fraction."""
    rise_interval: tuple[float, float] | None = None
    """Its interval."""
    rise_p: float | None = None
    """How likely so large a rise is by chance."""
    flips: float | None = None
    """Of the gate over answers that flip, the share that does, to wrong or to right."""
    flips_interval: tuple[float, float] | None = None
    """Its interval."""
    max_drop: float | None = None
    """The margin of the drop."""
    max_loss: float | None = None
    """The margin of the share lost."""
    max_rise: float | None = None
    """The margin of the rise."""
    max_flips: float | None = None
    """The margin of the share that flips."""
    on_inconclusive: OnInconclusive | None = None
    """As the gate has it in YAML."""
    require: Literal["retained", "pass"] | None = None
    """As a gate over `each` has it in YAML."""
    verdict: Verdict | None = None
    """What the answers show; null if the tuned model alone was asked."""
    outcome: Outcome
    """How the case ended in the run."""
    accepted: int | None = None
    """How many of the lost probes are accepted losses, which count as kept when the outcome is decided, and only then."""
    without_accepted: Outcome | None = None
    """The outcome that the case would have without them; null if it is the same."""
    more_probes_to_settle: int | None = None
    """About how many more probes like these would decide the case; null if it is decided, or no number would."""
    undecided: str | None = None
    """The reason why nothing was decided."""
    needs: str | None = None
    """The size of model that the slice takes, if its suite says so."""
    baseline_cut: int | None = None
    """The number of answers that `max_new_tokens` cut off."""
    tuned_cut: int | None = None
    """The same of the tuned model."""
    probes: list[str] | None = None
    """The ids of its probes, if they are a sample of its slice."""

    @property
    def not_gated(self) -> bool:
        """Whether too little was asked or known for any answers to decide the case; its reason says so."""
        return self.undecided is not None and self.undecided.startswith("not gated")

    @property
    def cut_unlike(self) -> bool:
        """Whether answers that were cut keep the case from being decided, whatever its drop."""
        return self.undecided is not None and self.undecided.endswith(CUT_UNLIKE)


class AnswerRow(Row):
    """One model's answer to a probe, whether it was right, and everything that decided that.

    Keys without a value are left out of the JSON.
    """

    answer: str
    """The generated text, the choice, or the bits per byte of a text."""
    right: bool
    """Whether it was right."""
    why: str | None = None
    """Why it was wrong, if the probe was lost and its score can tell."""
    kind: AnswerKind | None = None
    """How the model was asked; null in a record of an older version, which kept only `answer` and `right`."""
    tokens: int | None = None
    """Those of the answer, or of the text that was measured."""
    ended: Ended | None = None
    """Why generation ended, if known."""
    logprobs: list[float] | None = None
    """In nats: one for each choice, or one for a text."""
    greedy: list[bool] | None = None
    """Of the continuations of a task of lm-evaluation-harness, whether each is what the model would write."""
    vocabulary: int | None = None
    """The number of tokens that the model distinguishes."""
    reasoning: str | None = None
    """What the model thought first, which is not scored."""
    reasoning_tokens: int | None = None
    """The tokens of that."""
    reasoning_ended: bool | None = None
    """Whether it came to an end."""
    word_order: float | None = None
    """How many nats a word the baseline finds the answer likelier than its words shuffled, where `fluent` needs to know."""

    @classmethod
    def of(cls, score: Score) -> AnswerRow:
        """The row of a score; lone surrogates, which UTF-8 cannot encode, are escaped."""
        data = {} if score.answer is None else as_data(score.answer)
        data.pop("text", None)  # `shown` is the same
        return cls(answer=encodable(score.shown), right=score.right, **data)

    def scored(self) -> Score:
        """The score of the row; raises NoEvidenceError as `raw` does."""
        return Score(self.right, self.answer, self.raw())

    def raw(self) -> Answer:
        """The answer as the engine gave it; raises NoEvidenceError if an older version did not keep it."""
        if self.kind is None:
            raise NoEvidenceError("a record of an older version has no raw answers\n  run the gate again")
        return as_answer({**self.model_dump(), "text": self.answer})

    @model_serializer(mode="wrap")
    def _without_empty(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        row: dict[str, Any] = written(self)
        return {key: value for key, value in row.items() if value is not None or key in ("tokens", "ended")}


class AgainRow(Row):
    """A further attempt at a lost probe: in another batch, or in other words."""

    fields: dict[str, str]
    """The probe's fields in this attempt."""
    baseline: AnswerRow
    """The baseline's answer."""
    tuned: AnswerRow
    """The tuned model's."""

    @classmethod
    def of(cls, attempt: Pair) -> AgainRow:
        """The row of an attempt, which both models were asked."""
        assert attempt.baseline is not None
        return cls(
            fields=dict(attempt.probe.fields),
            baseline=AnswerRow.of(attempt.baseline),
            tuned=AnswerRow.of(attempt.tuned),
        )


class ProbeRow(Row):
    """One probe and both answers."""

    suite: str
    """The name of the suite."""
    id: str
    """The probe's id, unique in its suite."""
    category: str | None
    """Its category, if any."""
    cluster: str | None = None
    """The cluster with which it goes together, if any."""
    severity: Severity
    """Its severity."""
    fields: dict[str, str]
    """The values of the prompt's fields, or the `text` that was measured."""
    expected: list[str]
    """Its right answers."""
    score: str
    """The name of its score."""
    scoring: Any = None
    """The parameters of the score, as in YAML."""
    choices: list[str] = []
    """What the model chose from."""
    asked: str | None = None
    """The content key (SHA-256) of everything that both models were shown."""
    baseline: AnswerRow | None
    """The baseline's answer; null if it was not asked."""
    tuned: AnswerRow
    """The tuned model's answer."""
    change: Literal["kept", "lost", "gained", "missed"] | None
    """What became of it; null if the baseline was not asked."""
    accepted: bool = False
    """Whether it is lost and the loss was accepted."""
    again: list[AgainRow] = []
    """Further attempts at a lost probe under a gate over `each`."""


class Record(Row):
    """The record of one run."""

    version: Literal[1] = VERSION
    """Of this format. Keys may be added to it; none is renamed."""
    run: RunRow
    """The run as a whole."""
    gates: list[GateRow]
    """A row for each case."""
    probes: list[ProbeRow]
    """A row for each probe that was asked."""
