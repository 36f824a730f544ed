"""The rows of a record about the run as a whole: its models, suites, options and end.

The text under each field is its line in docs/record.md.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import model_validator

from harness.gate.policy import MAX_DROP_OVERALL
from harness.gate.stopping import Stop
from harness.reporting.diagnosis_rows import DiagnosisRow
from harness.reporting.equal_rows import EqualRow
from harness.reporting.row import Row
from harness.suites.acceptance import Acceptance
from harness.suites.severity import Severity

Status = Literal["unfinished", "passed", "forgotten", "nothing decided", "interrupted", "error"]


def run_status(exit_status: int | None, gate_failed: bool, stopped: bool = False) -> Status:
    """The status of a run by its exit code.

    Args:
        gate_failed: whether a gate did; without one, the exit code 1 comes from an error.
        stopped: whether Ctrl-C or pytest.exit() ended it.
    """
    if exit_status is None:
        return "unfinished"
    if stopped:
        return "interrupted"
    if exit_status == 1:
        return "forgotten" if gate_failed else "error"
    if exit_status == 5:
        return "nothing decided"
    return "error" if exit_status else "passed"


class ModelRow(Row):
    """One side of the comparison. The engine of a user's own fixture is named by its label, and its weights are unknown."""

    reference: str
    """As the user named it."""
    name: str
    """What it is, for people."""
    weights: str | None = None
    """The SHA-256 of the weights: of the adapter, if it is one."""
    base_weights: str | None = None
    """That of the base under an adapter."""
    source: Literal["reference", "fixture"] = "reference"
    """Whether `--model` and the like named it, or a fixture gave it."""


class SuiteRow(Row):
    """A suite as it was when it was read, so that two records can be told to have asked the same."""

    path: str | None
    """Its file, from the working folder if it is in there."""
    sha256: str | None
    """The SHA-256 of the file, as `sha256sum` prints it."""
    probes: int
    """How many probes it has, asked or not."""
    content: str
    """The SHA-256 of its gates and of all its probes, as they are asked and judged: those of generators and data files too."""


class CasesRow(Row):
    """How many cases were selected, and how they ended."""

    selected: int
    """Cases that were to be decided."""
    decided: int
    """Those that passed, failed or warned."""
    skipped: int
    """Those that decided nothing."""
    excused: int
    """Those that failed as a conftest.py expected (xfail)."""
    errors: int
    """Those that ended in an error."""
    never_asked: int
    """Those without any end, because the run ended first."""
    left_out: int
    """Cases that were collected and not selected: by `-k`, `--suite` and others."""
    own: int
    """The user's own tests that asked the tuned model."""


class NoiseRow(Row):
    """How the baseline's answers to a suite differ between conditions that should make no difference."""

    conditions: int
    """How many conditions it was asked under."""
    probes: int
    """How many probes it was asked under each."""
    flipped: int | None = None
    """Probes that were right under one condition and wrong under another; null for texts."""
    flip_rate: float | None = None
    """The share that differs between two conditions; null for texts."""
    at_most: float | None = None
    """Its upper bound with 95 % confidence; null for texts."""
    ids: list[str] = []
    """The flipped probes."""
    reach: dict[str, float] = {}
    """For each slice with a gate, the drop that an unchanged model exceeds in at most 5 % of runs, or the rise of the bits
    per byte."""


class SequentialRow(Row):
    """How much of a suite was asked until it was decided.

    Of a suite that stopped early, the `probes` of the gate over all of it are in the order asked.
    """

    asked: int
    """The probes that were asked."""
    of: int
    """All of them."""
    looks: list[int]
    """After how many probes the gate was looked at."""
    look: int | None
    """The number of the look at which asking stopped, from 1; null if it was a bet between two."""
    why: str
    """Why it stopped there."""

    @classmethod
    def of_stop(cls, stop: Stop) -> SequentialRow:
        """The row of where asking stopped."""
        return cls(asked=len(stop.asked), of=stop.of, looks=list(stop.looks), look=stop.look, why=stop.why)


Standing = Literal["in force", "expired", "another baseline", "asked otherwise", "no such probe", "not lost"]


class AcceptedRow(Row):
    """A loss that was accepted of a suite, and whether that counted."""

    probe: str
    """The id of the probe."""
    because: str
    """Why it was accepted."""
    by: str
    """Who accepted it."""
    date: str
    """When."""
    until: str | None = None
    """The last day on which it counts; null for no end."""
    place: str
    """The file and line of its entry."""
    baseline: str
    """The reference of the baseline that it was accepted for."""
    weights: str | None = None
    """The SHA-256 of its weights, as under `baseline`; null if they are unknown."""
    base_weights: str | None = None
    """That of the base under an adapter."""
    asked: str
    """The content key of what the models were shown, as a probe's `asked`."""
    standing: Standing
    """`in force`: the loss counted as kept in deciding. Otherwise why it did not, or that nothing was lost."""

    @classmethod
    def of(cls, item: Acceptance, standing: Standing) -> AcceptedRow:
        """The row of an accepted loss."""
        until = None if item.until is None else str(item.until)
        return cls(
            probe=item.probe, because=item.because, by=item.by, date=str(item.on), until=until, place=item.place, baseline=item.baseline,
            weights=item.weights, base_weights=item.base_weights, asked=item.asked, standing=standing,
        )  # fmt: skip

    def acceptance(self, suite: str) -> Acceptance:
        """The accepted loss of the row, as its file had it."""
        return Acceptance(
            suite=suite,
            probe=self.probe,
            because=self.because,
            by=self.by,
            on=date.fromisoformat(self.date),
            until=None if self.until is None else date.fromisoformat(self.until),
            baseline=self.baseline,
            weights=self.weights,
            base_weights=self.base_weights,
            asked=self.asked,
            place=self.place,
        )


class RunRow(Row):
    """The origin of the numbers, and how the run ended."""

    harness: str
    """The gate's version."""
    started: str
    """When the run began, in UTC (ISO 8601)."""
    ended: str | None = None
    """When it ended; null while it runs, and for ever if it was killed."""
    status: Status
    """`passed`; `forgotten`, a gate failed; `nothing decided`, which is no pass; `interrupted`, by Ctrl-C or `pytest.exit`;
    `error`, of the input, a model or a test; `unfinished`, it runs still, was killed, or broke before it began."""
    exit_status: int | None
    """The exit code; null while unfinished."""
    seconds: float
    """How long it took."""
    command: list[str]
    """The arguments of pytest; empty for `run_gate`."""
    errors: list[str]
    """What went wrong, in words."""
    baseline: ModelRow | None = None
    """The model before tuning; null if none was asked."""
    tuned: ModelRow | None = None
    """The tuned model."""
    device: str | None = None
    """Where the models ran."""
    dtype: str | None = None
    """In which floats."""
    engines: dict[str, str] = {}
    """By side, what computed its answers: `transformers`, `vllm` and so on, as far as its engine tells."""
    engine_flips: float | None = None
    """The share of answers that flip between two engines on one model, as `--engine-flips` has it; null without it."""
    versions: dict[str, str]
    """Of Python and of the packages that answers depend on."""
    suites: dict[str, SuiteRow] = {}
    """The suites that were selected, by name."""
    sample: int | None = None
    """The value of `--sample`; null if all probes were to be asked."""
    sample_seed: int | None = None
    """The seed of the sample, and of the order of a sequential run; null in a record of an older version."""
    strict: bool
    """Whether every gate had to be RETAINED."""
    fail_on: Severity
    """The least severity that fails."""
    max_drop_overall: float | None = MAX_DROP_OVERALL
    """The margin of the gate over all suites; null for no such gate."""
    named: list[str] = []
    """The suites that were named, by their files or by `--suite`, those whose cases a fixture or hook all skipped, and `overall`
    if its margin was given: each must decide something."""
    nothing_known: dict[str, str | None] = {}
    """For suites whose baseline was judged by more probes than are recorded: why it knows nothing; null if it does."""
    notes: list[str] = []
    """What the user should know."""
    observed: list[str] = []
    """What many of the lost answers have in common, and few of the baseline's to the same probes."""
    diagnosis: dict[str, DiagnosisRow] = {}
    """By suite, why probes were lost, if the run was to find out."""
    untried: list[str] = []
    """Mitigations that the tuned model's recipe lacks, the least costly first."""
    seconds_asking: dict[str, float] = {}
    """How long the models were asked, by suite."""
    template: dict[str, dict[str, Any]] = {}
    """The chat template's arguments, for each suite that has any."""
    thinking_tokens: dict[str, int] = {}
    """The most tokens of reasoning, for each suite that limits them."""
    noise: dict[str, NoiseRow] = {}
    """By suite, if the run measured it."""
    sequential: dict[str, SequentialRow] = {}
    """By suite, if the run was to stop asking it once it is decided."""
    accepted: dict[str, list[AcceptedRow]] = {}
    """By suite, the losses that were accepted of it."""
    equal: EqualRow | None = None
    """How alike two forms of one model answer; null unless `python -m harness equal` or `compare_forms` compared them."""
    not_measured: dict[str, list[str]] = {}
    """By suite, the probes without answers of both models because a worker of xdist died."""
    cases: CasesRow | None = None
    """How the cases ended; null for `run_gate`."""

    @model_validator(mode="before")
    @classmethod
    def _of_older_version(cls, values: Any) -> Any:
        """A record that said no more than "finished"."""
        if isinstance(values, dict) and values.get("status", "finished") == "finished":
            return {**values, "status": run_status(values.get("exit_status"), gate_failed=True)}
        return values
