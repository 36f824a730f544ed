"""A text in, the first place where YAML cannot read on out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.documents.yaml_nodes import HALF_A_PAIR, TOO_DEEP, is_too_deep, with_pairs_marked
from harness.errors import Problem, Span, did_you_mean

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


SECOND = "a file holds one suite or recipe: write each into a file of its own, without '---' between them"


@dataclass(frozen=True)
class Fault:
    """Where YAML cannot read on, and why; lines and columns count from 0."""

    line: int
    column: int
    message: str
    opened: tuple[int, int] | None = None
    """Where that began which YAML was reading: a text in quotes, a list, a key."""
    at_end: bool = False
    hint: str | None = None
    is_syntax: bool = True
    """Whether a line is written wrongly; otherwise a name or a document is there twice or not at all, or a character is forbidden."""

    def problem(self, path: Path) -> Problem:
        """The fault as YAML sees it, where no correction of it is known."""
        line, column = self.line, self.column
        message, hint = self.message, self.hint
        if self.at_end and self.opened:
            line, column = self.opened
            message, hint = "what opens here is never closed", "is the file complete?"
        return Problem(Span(path, line + 1, column + 1), f"not YAML: {message}", hint)


@dataclass(frozen=True)
class Correction:
    """How a fault may be corrected: where it began (from 0), what to say, and the lines that change."""

    line: int
    column: int
    message: str
    hint: str
    lines: Mapping[int, str]
    swallows: bool = False
    """Whether YAML took what follows for part of a text, so that its next fault may be above the one that it told."""


def first_fault(text: str) -> Fault | None:
    """The first fault of a text; None for YAML."""
    anchors: dict[str, int] = {}
    documents = 0
    try:
        for event in yaml.parse(with_pairs_marked(text)[0], Loader=_Loader):
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                return _meant_otherwise(event, "a second document begins here", SECOND)
            anchor: str = getattr(event, "anchor", None) or ""
            if isinstance(event, yaml.AliasEvent) and anchor not in anchors:
                return _meant_otherwise(event, *_no_anchor(anchor, anchors))
            if anchor and not isinstance(event, yaml.AliasEvent):
                if anchor in anchors:
                    where = f"line {anchors[anchor]} has it already"
                    return _meant_otherwise(event, f"a second anchor '&{anchor}'", where)
                mark: Any = event.start_mark
                anchors[anchor] = mark.line + 1
    except yaml.YAMLError as error:
        return _as_yaml_says(text, error)
    return None


def fault_of(text: str, error: yaml.YAMLError) -> Fault:
    """The fault of a text that could not be read for `error`."""
    return first_fault(text) or _as_yaml_says(text, error)


def _as_yaml_says(text: str, error: yaml.YAMLError) -> Fault:
    if isinstance(error, yaml.MarkedYAMLError):
        return _marked(text, error)
    return _forbidden_character(text, error)


def _meant_otherwise(event: Any, message: str, hint: str) -> Fault:
    mark = event.start_mark
    return Fault(mark.line, mark.column, message, hint=hint, is_syntax=False)


def _no_anchor(name: str, anchors: Mapping[str, int]) -> tuple[str, str]:
    near = did_you_mean(name, anchors)
    hint = near.replace("'", "'*", 1) if near else f"text that begins with '*' needs quotes: \"*{name}\""
    return f"'*{name}' repeats what '&{name}' names, and there is no '&{name}' above it", hint


def _marked(text: str, error: yaml.MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Fault(0, 0, str(error.problem or error))
    context = error.context_mark
    message = " ".join(filter(None, (error.context, error.problem)))
    if is_too_deep(error):
        return Fault(mark.line, mark.column, TOO_DEEP)
    opened = (context.line, context.column) if context else None
    at_end = not text[mark.index :].strip()
    return Fault(mark.line, mark.column, message, opened, at_end, _hint(message))


def _hint(message: str) -> str | None:
    """What to do about a fault that no correction of a line mends."""
    if "mapping values are not allowed" in message:
        return "a key begins its line, in the column of its neighbours; text with ': ' in it needs quotes"
    if "<document start>" in message:
        return "all keys at the top begin in the same column: is the first one indented?"
    if "invalid Unicode character escape" in message:
        return "; ".join(HALF_A_PAIR)
    return None


def _forbidden_character(text: str, error: yaml.YAMLError) -> Fault:
    """PyYAML gives no line for a character that no YAML file may hold, so it is looked up."""
    found = _FORBIDDEN.search(text)
    position = found.start() if found else 0
    line, column = text.count("\n", 0, position), position - text.rfind("\n", 0, position) - 1
    seen = f"character U+{ord(text[position]):04X}" if found else str(error)
    return Fault(line, column, f"{seen} is not allowed", hint="remove it", is_syntax=False)
