"""The shape of `from`, by which a suite asks a task of lm-evaluation-harness."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from harness.documents.validate import Shape, Text


class TaskSourceFormat(Shape):
    """The task of lm-evaluation-harness that a suite asks."""

    lm_eval: Text = Field(
        description="A task, group or tag of the package by its name, or a task file of your own (.yaml), from the suite's "
        "folder. Each task of a group is a category."
    )
    fewshot: int | None = Field(
        None, ge=0, description="The number of few-shot examples; the task's own, else 0, unless given."
    )
    limit: int | None = Field(None, ge=1, description="Only the first so many documents of each task.")
    metric: Text | None = Field(
        None,
        description="The metric that makes an answer right; the first of the task's that judges single documents, unless given.",
    )
    filter: Text | None = Field(
        None, description="Which of the task's filters reads the answer; the first unless given."
    )
    threshold: float | None = Field(
        None, description="From which value of the metric on an answer is right, for metrics between 0 and 1."
    )
    margin: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="In a suite without `gates`, the largest acceptable drop, or rise of bits per byte: 0.05 unless given, and "
        "three times that over each task of a group.",
    )
    chat: bool = Field(
        False,
        description="Ask through each model's chat template, which lm-evaluation-harness does not by default.",
    )
    multiturn: bool = Field(
        True, description="In a chat, few-shot examples are earlier turns; else they are in the question."
    )
    system: Text | None = Field(None, description="A system message, before the task's own description.")

    @field_validator("multiturn")
    @classmethod
    def _needs_a_chat(cls, value: bool, info: ValidationInfo) -> bool:
        if not info.data.get("chat"):
            raise ValueError("'multiturn' has a meaning only with 'chat: true'")
        return value
