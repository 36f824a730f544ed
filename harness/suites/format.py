"""The shape of a suite file, format 1, as its author writes it: one class for each part of the file.

These classes define what YAML may contain; the harness works with the values of `harness.suites.suite`. Documentation and
editors show the fields in the order in which they are declared here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from harness.documents.validate import Like, Shape, Text
from harness.errors import did_you_mean
from harness.suites.generate import GeneratorFormat
from harness.suites.severity import Severity
from harness.suites.source import SourceFormat
from harness.suites.task_source_format import TaskSourceFormat
from harness.suites.weakness import MEANINGS, Weakness

AnswerKind = Literal["generate", "choose", "likelihood"]
OnInconclusive = Literal["confirmed", "observed", "fail", "pass"]

MAX_LOSS = {"all": 0.15, "category": 0.35}
"""The default `max_loss` of a gate, by what it is over."""

Name = Annotated[
    str,
    Like(r"^[^\s\[\]:/\\]+$", "a name without spaces, colons, slashes, backslashes and square brackets"),
]
Category = Annotated[
    str,
    Like(
        r"^[^\s\[\]:]([^\[\]:\n\t]*[^\s\[\]:])?$",
        "a name in one line without colons, square brackets, tabs and spaces at its ends",
    ),
]


Size = Annotated[
    str, Like(r"^[1-9]\d{0,3}(\.\d{1,2})?[MBT]$", "the size of a model in parameters, such as 1B or 360M")
]

WHOLE = ""
"""The name, in `needs`, of the whole suite."""


def _of_slices(value: Any) -> Any:
    """A size in `needs` is short for one of the whole suite."""
    return {WHOLE: value} if isinstance(value, str) else value


def _known(ignored: Any) -> Any:
    """Weaknesses that exist; raises ValueError with the nearest name."""
    for name in ignored if isinstance(ignored, dict) else ():
        if name not in MEANINGS:
            near = did_you_mean(str(name), MEANINGS) or f"there are: {', '.join(MEANINGS)}"
            raise ValueError(f"'lint_ignore' names the unknown weakness '{str(name)[:60]}'; {near}")
    return ignored


LintIgnore = Annotated[
    dict[Weakness, Text], BeforeValidator(_known, json_schema_input_type=dict[Weakness, Text])
]


class ThinkingFormat(Shape):
    """What a model may think before it answers."""

    max_tokens: int = Field(
        ge=1, description="The longest reasoning, in tokens, in addition to the answer's `max_new_tokens`."
    )


class TaskFormat(Shape):
    """How a probe is asked."""

    format: Literal["chat", "text"] = Field(
        "chat", description="chat: through the tokenizer's chat template; text: as written."
    )
    system: Text | None = Field(None, description="The system message (chat only).")
    prompt: Text = Field("{question}", description="What is asked, with {fields} of the probe.")
    shots: list[dict[str, Any]] = Field(
        default=[], description="Few-shot examples, each with the prompt's fields and an answer."
    )
    answer: AnswerKind = Field(
        "generate",
        description="generate: the model writes; choose: the likeliest of the probe's choices; "
        "likelihood: how well the model predicts the probe's text.",
    )
    max_new_tokens: int = Field(64, ge=1, description="The longest answer, in tokens.")
    stop: list[Text] = Field(default=[], description="Texts that end an answer.")
    template: dict[str, Any] = Field(
        default={},
        description="Arguments of the chat template, such as `enable_thinking: false` (chat only).",
    )
    thinking: ThinkingFormat | None = Field(
        None, description="The room for reasoning, of models whose template marks any."
    )


class GateFormat(Shape):
    """A rule over a slice of the suite that passes or fails."""

    over: Literal["all", "category", "each"] = Field(
        description="all: the whole suite; category: each category; each: every probe for itself."
    )
    max_drop: float | None = Field(
        None, ge=0, le=1, description="The margin: the largest acceptable drop in accuracy, 0 to 1."
    )
    max_loss: float | None = Field(
        None,
        ge=0,
        le=1,
        description="The largest acceptable share of what the baseline knew; 0.15 over all and 0.35 over a category "
        "unless given, 1 for any.",
    )
    max_rise: float | None = Field(
        None,
        ge=0,
        le=10,
        description="Under `likelihood`, instead of max_drop: the largest acceptable mean rise of bits per byte, such as "
        "0.02 for 2 %.",
    )
    on_inconclusive: OnInconclusive = Field(
        "confirmed",
        description="When the gate fails: confirmed (the observed drop is over the margin and no accident among all gates "
        "of the run), observed (it is over the margin), fail (unless RETAINED) or pass (only if FORGOTTEN).",
    )
    require: Literal["retained", "pass"] | None = Field(
        None,
        description="Of each probe: retained (default) fails what the baseline had and the tuned "
        "model lost; pass asks the tuned model alone.",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        given = self.model_fields_set
        if self.over == "each":
            for key in ("max_drop", "max_loss", "max_rise", "on_inconclusive"):
                if key in given:
                    raise ValueError(f"a gate over 'each' takes no '{key}': each probe is kept or lost")
        elif self.max_drop is None and self.max_rise is None:
            raise ValueError(
                f"a gate over '{self.over}' needs 'max_drop', the largest acceptable drop, or under 'likelihood' 'max_rise'\n"
                f"  write: - {{over: {self.over}, max_drop: {0.1 if self.over == 'all' else 0.2}0}}"
            )
        elif self.max_drop is not None and self.max_rise is not None:
            raise ValueError("a gate has 'max_drop', for accuracy, or 'max_rise', for likelihood, not both")
        elif self.max_rise is not None and "max_loss" in given:
            raise ValueError("a gate with 'max_rise' takes no 'max_loss': a text is not known or unknown")
        elif "require" in given:
            raise ValueError(f"a gate over '{self.over}' takes no 'require'; it has 'max_drop'")
        return self


ONLY_FIELD = ""
"""The name, in `also_ask`, of the only field of a prompt."""


def _as_fields(value: Any) -> Any:
    """A text in `also_ask` is short for a mapping of the prompt's only field."""
    if isinstance(value, str):
        return {ONLY_FIELD: value}
    if not isinstance(value, dict):
        raise PydanticCustomError("unlike", "{words}", {"words": "text or a mapping"})
    return value


class ProbeFormat(Shape):
    """One prompt and what a right answer is; any other key is a field of the prompt."""

    model_config = ConfigDict(extra="allow")

    id: Name = Field(
        description="Unique in the suite; names the probe's case and pairs its answers. Generators and data give one where it is left out."
    )
    category: Category | None = Field(None, description="The slice that the probe counts in.")
    cluster: Category | None = Field(
        None,
        description="What the probe shares with others, so that they tend to be lost together: a template, a passage. "
        "Generators and repeated passages fill it in.",
    )
    severity: Severity | None = Field(None, description="Of this probe's own case; else the suite's.")
    answer: Any = Field(None, description="The right answer, or a list of which any is right.")
    choices: list[Text] | None = Field(None, description="What a probe under `choose` chooses from.")
    text: Text | None = Field(None, description="What a probe under `likelihood` is measured on.")
    also_ask: (
        list[
            Annotated[
                dict[str, Text], BeforeValidator(_as_fields, json_schema_input_type=Text | dict[str, Text])
            ]
        ]
        | None
    ) = Field(
        None,
        min_length=1,
        description="The same in other words, which is asked too when a gate over `each` finds the probe lost: texts for "
        "the prompt's only field, or mappings of its fields.",
    )
    score: Any = Field(None, description="Instead of the suite's score.")
    lint_ignore: LintIgnore = Field(
        default={},
        description="The weaknesses that `lint` may not report of this probe, each with the reason.",
    )
    note: str | None = Field(None, description="For people; never shown to a model.")


def _as_file(value: Any) -> Any:
    """`probes_from: data.csv` is short for `{file: data.csv}`."""
    return {"file": value} if isinstance(value, str) else value


class SuiteFormat(Shape):
    """A suite file: one capability, the probes that show it, and how much of it may be lost."""

    suite: Name = Field(description="The suite's name, unique in a run.")
    about: str = Field("", description="What capability this protects, in a sentence.")
    severity: Severity = Field("high", description="How bad a loss is; a pytest marker.")
    needs: Annotated[
        dict[str, Size],
        Field(min_length=1),
        BeforeValidator(_of_slices, json_schema_input_type=Size | dict[str, Size]),
    ] = Field(
        default={},
        description="The size of model that the suite takes, such as 1B, or that of each category named. Where the baseline is "
        "no better than guessing, or has too little to lose, the gate is left out with a note instead of failing.",
    )
    task: TaskFormat = Field(default_factory=TaskFormat, description="How the probes are asked.")
    score: Any = Field(None, description="How an answer becomes right or wrong.")
    gates: list[GateFormat] = Field(min_length=1, description="What fails the run.")
    probes: list[ProbeFormat] | None = Field(None, min_length=1, description="What is asked.")
    generators: list[GeneratorFormat] | None = Field(
        None, min_length=1, description="Probes that are made by drawing values; they follow `probes`."
    )
    probes_from: (
        Annotated[SourceFormat, BeforeValidator(_as_file, json_schema_input_type=Text | SourceFormat)] | None
    ) = Field(None, description="Probes that are read from a data file or data set; they come last.")
    from_: TaskSourceFormat | None = Field(
        None,
        alias="from",
        description="Instead of `task`, `score` and `probes`: a task of lm-evaluation-harness, whose documents are the probes. "
        "`gates` may be left out.",
    )
    lint_ignore: LintIgnore = Field(
        default={},
        description="The weaknesses that `lint` may not report of this suite, each with the reason.",
    )
