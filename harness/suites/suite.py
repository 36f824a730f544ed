"""A suite as the harness works with it: frozen values, with every default filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from harness.errors import Problem, Span
from harness.lm_eval.definition import Item
from harness.suites.acceptance import Acceptance
from harness.suites.arguments import Arguments
from harness.suites.format import AnswerKind, OnInconclusive
from harness.suites.scorer import Scorer
from harness.suites.severity import Severity
from harness.suites.weakness import Weakness


@dataclass(frozen=True)
class Shot:
    """A few-shot example: the fields of the prompt and the answer shown for them."""

    fields: Mapping[str, str]
    answer: str


@dataclass(frozen=True)
class Task:
    """How the probes of a suite are asked."""

    format: Literal["chat", "text"] = "chat"
    system: str | None = None
    prompt: str = "{question}"
    shots: tuple[Shot, ...] = ()
    answer: AnswerKind = "generate"
    max_new_tokens: int = 64
    stop: tuple[str, ...] = ()
    template: Arguments = ()
    thinking_tokens: int | None = None
    """The room for reasoning before an answer, in tokens; None for the default of templates that mark reasoning."""


@dataclass(frozen=True)
class Probe:
    """One prompt and what a right answer is."""

    id: str
    scorer: Scorer
    fields: Mapping[str, str] = field(default_factory=dict)
    answers: tuple[str, ...] = ()
    category: str | None = None
    severity: Severity = "high"
    choices: tuple[str, ...] = ()
    text: str | None = None
    cluster: str | None = None
    """What it shares with other probes, which tend to be lost together; None for a probe on its own."""
    also_ask: tuple[Mapping[str, str], ...] = ()
    """The fields of the prompt in other words."""
    item: Item | None = None
    """What is asked instead of the suite's prompt: a document of a task of lm-evaluation-harness."""
    lint_ignore: Mapping[Weakness, str] = field(default_factory=dict, compare=False)
    """Weaknesses that its author knows, each with the reason."""
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class SliceGate:
    """A rule over the whole suite or each of its categories."""

    over: Literal["all", "category"]
    on_inconclusive: OnInconclusive = "confirmed"
    span: Span | None = field(default=None, compare=False)

    def slices(self, suite: Suite) -> dict[str, tuple[Probe, ...]]:
        """The probes of each slice, by its name: "all", or "category[math]" in the order of the file."""
        if self.over == "all":
            return {"all": suite.probes}
        return {f"category[{name}]": probes for name, probes in suite.by_category().items()}


@dataclass(frozen=True, kw_only=True)
class MarginGate(SliceGate):
    """The largest drop in accuracy, and the largest share of what the baseline knew that may be lost, as fractions."""

    max_drop: float
    max_loss: float = 1.0


@dataclass(frozen=True, kw_only=True)
class RiseGate(SliceGate):
    """The largest mean rise of the bits per byte of texts, as a fraction."""

    max_rise: float


@dataclass(frozen=True)
class OverallGate:
    """The rule over all suites of a run, pooled: the largest drop in accuracy, a fraction."""

    over: ClassVar[Literal["overall"]] = "overall"
    max_drop: float
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class FlipsGate:
    """The rule over all suites of a run, pooled: the largest share of answers that flip, to wrong or to right, a fraction."""

    over: ClassVar[Literal["overall"]] = "overall"
    max_flips: float
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class EachGate:
    """A rule over each probe by itself: the tuned model must retain what the baseline had right, or be right in any case."""

    over: ClassVar[Literal["each"]] = "each"
    require: Literal["retained", "pass"] = "retained"
    span: Span | None = field(default=None, compare=False)


RunGate = OverallGate | FlipsGate
"""A gate over all suites of a run, which has no probes of its own."""

Gate = MarginGate | RiseGate | EachGate | RunGate

OVERALL = "overall"
"""The name under which the overall gate stands where others have that of their suite."""


@dataclass(frozen=True)
class Suite:
    """One capability: what to ask, and how much loss is too much."""

    name: str
    gates: tuple[Gate, ...]
    probes: tuple[Probe, ...]
    about: str = ""
    severity: Severity = "high"
    task: Task = Task()
    path: Path | None = None
    needs: Mapping[str, str] = field(default_factory=dict)
    """By slice, the size of model that it takes, so that it has no gate over a baseline that knows nothing of it."""
    lint_ignore: Mapping[Weakness, str] = field(default_factory=dict, compare=False)
    """Weaknesses that its author knows, of any of its probes, each with the reason."""
    span: Span | None = field(default=None, compare=False)
    warnings: tuple[Problem, ...] = field(default=(), compare=False)
    """Passages of the file that may not mean what the author intended."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What was guessed about its data."""
    accepted: tuple[Acceptance, ...] = field(default=(), compare=False)
    """The losses that were accepted of it, which a run may count as kept."""

    @property
    def is_of_texts(self) -> bool:
        """Whether its probes are texts, of which no answer is right or wrong: they are not pooled with others."""
        return self.task.answer == "likelihood"

    @property
    def is_of_a_task(self) -> bool:
        """Whether a task of lm-evaluation-harness asks and scores."""
        return any(probe.item for probe in self.probes)

    def categories(self) -> tuple[str, ...]:
        """The categories of the probes, each once, in the order of the file."""
        return tuple(self.by_category())

    def by_category(self) -> dict[str, tuple[Probe, ...]]:
        """The probes of each category, in the order of the file."""
        members: dict[str, list[Probe]] = {}
        for probe in self.probes:
            if probe.category is not None:
                members.setdefault(probe.category, []).append(probe)
        return {name: tuple(probes) for name, probes in members.items()}
