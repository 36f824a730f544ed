"""The rows of a record, as its JSON holds them: one class for each part.

Rates are fractions; `drop` is positive when worse.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from harness.engine.answers import as_answer, as_data
from harness.engine.requests import Answer, Ended
from harness.errors import NoEvidenceError
from harness.gate.compare import Pair
from harness.gate.decide import MAX_DROP_OVERALL, Outcome
from harness.gate.stopping import Stop
from harness.gate.verdict import Verdict
from harness.scoring.score import Score
from harness.stats.paired import CONFIDENCE
from harness.suites.format import AnswerKind, OnInconclusive
from harness.suites.severity import Severity
from harness.visible import encodable

VERSION: Literal[1] = 1


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GateRow(_Row):
    """One case. The counts and rates of a comparison are None if the tuned model alone was asked.

    `interval` is the drop's, `loss` that of the share lost of what the baseline knew, `rise_interval` that of the mean rise of
    bits per byte. `holm_mid_p` is the p-value among the `tests` slices of the run that are decided together: `mid_p`, or
    `rise_p` for texts, adjusted by Holm.
    """

    suite: str
    slice: str
    over: Literal["all", "category", "each", "overall"]
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
    holm_mid_p: float | None = None
    tests: int | None = None
    loss: tuple[float, float] | None = None
    clusters: int | None = None
    """The number of clusters, if any has several probes."""
    design_effect: float | None = None
    rise: float | None = None
    rise_interval: tuple[float, float] | None = None
    rise_p: float | None = None
    max_drop: float | None = None
    max_loss: float | None = None
    max_rise: float | None = None
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


class AgainRow(_Row):
    """A further attempt at a lost probe: in another batch, or in other words."""

    fields: dict[str, str]
    baseline: AnswerRow
    tuned: AnswerRow

    @classmethod
    def of(cls, attempt: Pair) -> AgainRow:
        """The row of an attempt, which both models were asked."""
        assert attempt.baseline is not None
        return cls(
            fields=dict(attempt.probe.fields),
            baseline=AnswerRow.of(attempt.baseline),
            tuned=AnswerRow.of(attempt.tuned),
        )


class ProbeRow(_Row):
    """One probe and both answers; `baseline` is None if it was not asked."""

    suite: str
    id: str
    category: str | None
    cluster: str | None = None
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
    again: list[AgainRow] = []


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


class NoiseRow(_Row):
    """How the baseline's answers to a suite differ between conditions that should make no difference.

    Of the `probes`, `flipped` were right under one condition and wrong under another; `ids` are theirs. `flip_rate` is the share
    that differs between two conditions, and `at_most` its upper bound with 95 % confidence. All three are None for texts.
    `reach` has, for each slice with a gate, the drop that an unchanged model exceeds in at most 5 % of runs, or the rise of the
    bits per byte.
    """

    conditions: int
    probes: int
    flipped: int | None = None
    flip_rate: float | None = None
    at_most: float | None = None
    ids: list[str] = []
    reach: dict[str, float] = {}


class SequentialRow(_Row):
    """How much of a suite was asked until it was decided: `asked` probes `of` all, with looks after so many.

    `look` is the number of the one at which asking stopped, from 1, or None if it was a bet between two. Of a suite that
    stopped early, the `probes` of the gate over all of it are in the order asked.
    """

    asked: int
    of: int
    looks: list[int]
    look: int | None
    why: str

    @classmethod
    def of_stop(cls, stop: Stop) -> SequentialRow:
        """The row of where asking stopped."""
        return cls(asked=len(stop.asked), of=stop.of, looks=list(stop.looks), look=stop.look, why=stop.why)


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
    max_drop_overall: float | None = MAX_DROP_OVERALL
    """The margin of the gate over all suites; None for no such gate."""
    named: list[str] = []
    """The suites that were named by their files, each of which must decide something."""
    nothing_known: dict[str, str | None] = {}
    """For suites whose baseline was judged by more probes than are recorded: why it knows nothing; None if it does."""
    notes: list[str] = []
    untried: list[str] = []
    seconds_asking: dict[str, float] = {}
    template: dict[str, dict[str, Any]] = {}
    """The chat template arguments of each suite that has any."""
    thinking_tokens: dict[str, int] = {}
    """The most tokens of reasoning, for each suite that limits them."""
    noise: dict[str, NoiseRow] = {}
    """By suite, if the run measured it."""
    sequential: dict[str, SequentialRow] = {}
    """By suite, if the run was to stop asking it once it is decided."""
    cases: CasesRow | None = None


class Record(_Row):
    """The record of one run."""

    version: Literal[1] = VERSION
    run: RunRow
    gates: list[GateRow]
    probes: list[ProbeRow]
