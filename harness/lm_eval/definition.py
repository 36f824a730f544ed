"""Which task of lm-evaluation-harness is asked, and how; and what one of its documents asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

INSTALL = "pip install 'forgetting-gate[lm-eval]'"

Kind = Literal["generate", "choose", "likelihood"]


@dataclass(frozen=True)
class Definition:
    """A task, group or tag of the package by its `name`, or a task file by its `path`, and how its documents are asked."""

    name: str
    path: Path | None = None
    fewshot: int | None = None
    """The number of few-shot examples; None for the task's own."""
    limit: int | None = None
    """Only the first so many documents of each task."""
    chat: bool = False
    multiturn: bool = True
    """Whether few-shot examples are turns of their own in a chat."""
    system: str | None = None

    @property
    def source(self) -> str:
        """What finds the task again: its name, or the absolute path of its file."""
        return str(self.path) if self.path else self.name


@dataclass(frozen=True)
class Turns:
    """A prompt as a chat, and what the answer begins with."""

    messages: tuple[tuple[str, str], ...]
    """Role and content of each."""
    begun: str = ""


@dataclass(frozen=True)
class Item:
    """What one document asks."""

    task: str
    doc: int
    kind: Kind
    prompts: tuple[str | Turns, ...]
    """One for each continuation, or only one; of a likelihood, the text that is measured."""
    continuations: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    max_new_tokens: int = 0
    question: str = field(default="", compare=False)
    """The document's own question, for people."""
    targets: tuple[str, ...] = field(default=(), compare=False)
    """Its right answers, for people."""
