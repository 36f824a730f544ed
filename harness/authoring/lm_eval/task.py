"""A task of lm-evaluation-harness that can be imported: frozen values, every default resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.documents.document import Document
from harness.documents.within import Reach
from harness.errors import Span

Kind = Literal["multiple_choice", "generate_until"]
Sampler = Literal["first_n", "default"]

METRICS: Mapping[str, tuple[str, ...]] = {
    "multiple_choice": ("acc", "acc_norm", "acc_bytes"),
    "generate_until": ("exact_match",),
}
"""The supported metrics of each kind of task."""


@dataclass(frozen=True)
class Wording:
    """How a document becomes text: each field is a Jinja template, the name of a column, or the value itself."""

    text: str
    target: str | int | list[Any]
    choice: str | list[Any] | None
    prefix: str | None
    delimiter: str


@dataclass(frozen=True)
class Shots:
    """How many few-shot examples precede a question, and which."""

    n: int
    sampler: Sampler
    wording: Wording
    delimiter: str
    samples: tuple[Mapping[str, Any], ...] | None
    split: str | None
    """None if the shots are `samples`."""
    own_left_out: bool
    """Whether a document is never its own example."""


@dataclass(frozen=True)
class Metric:
    """The rule for a right answer; all fields but the name belong to `exact_match`."""

    name: str
    ignore_case: bool = False
    ignore_punctuation: bool = False
    ignore_numbers: bool = False
    strip: bool = False


@dataclass(frozen=True)
class DataSource:
    """The arguments of `datasets.load_dataset`; relative paths start at the task's `file` and stay within `reach`."""

    path: str
    name: str | None
    arguments: Mapping[str, Any]
    file: Path
    reach: Reach
    span: Span


@dataclass(frozen=True)
class LmEvalTask:
    """One task, as its documents are asked and scored."""

    name: str
    kind: Kind
    data: DataSource
    split: str
    description: str
    wording: Wording
    shots: Shots
    metric: Metric
    max_new_tokens: int
    stop: tuple[str, ...]
    document: Document
    notes: tuple[str, ...]
