"""Which values of a suite file are text: numbers among them as their author wrote them, and texts that a comment may cut short."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import getitem
from typing import Any

from harness.documents.document import Document, Place
from harness.documents.written import number_as_written, whole_as_written
from harness.documents.yaml_lines import quoted
from harness.errors import Problem, Span

VALUES = ("score", "severity", "lint_ignore")
"""The keys of a probe whose values are not text."""

NOT_ASKED = frozenset({"id", "category", "note", *VALUES})
"""The keys of a probe that no model is shown and no text is judged by."""


MOST_QUOTED = 120
"""Characters of a text that a warning repeats whole."""


def write_texts(document: Document) -> None:
    """Replace numbers and booleans of a suite by their text as written, in place, where text is meant.

    `answer: 1.50` means the text 1.50, and a probe has no other numbers. Numbers to draw from are both: numbers for
    expressions, and as written where they are shown.
    """
    for place, text in document.written.items():
        if _of_piece(place):
            _put(document, place, text)
            continue
        match place:
            case ("probes", int(), key, *_) | ("generators", int(), "probe", key, *_) if key in VALUES:
                continue
            case ("generators", int(), "probes", int(), key, *_) if key in VALUES:
                continue
            case (
                ("probes", int(), _, *_)
                | ("generators", int(), "probe" | "probes", _, *_)
                | ("task", "shots", *_)
            ):
                drawn = False
            case ("generators", int(), "draw", _, "choice", int()):
                drawn = True
            case _:
                continue
        _put(document, place, text, drawn)


def _put(document: Document, place: Place, text: str, drawn: bool = False) -> None:
    *outer, last = place
    holder = reduce(getitem, outer, document.value)
    holder[last] = _number(holder[last], text) if drawn else text


def _of_piece(place: Place) -> bool:
    """Whether a value is the `answer` of a piece of a score, as in `any: [{mentions: {answer: 5}}]`."""
    match place[:-1] if isinstance(place[-1], int) else place:
        case (*outer, "any" | "all", int(), str(), "answer") | (*outer, "not", str(), "answer"):
            return "score" in outer
    return False


def _number(value: Any, text: str) -> Any:
    match value:
        case bool():
            return value
        case int():
            return whole_as_written(text, value)
        case float():
            return number_as_written(text, value)
    return value


def cut_texts(document: Document) -> Iterator[Problem]:
    """A warning for each unquoted text that a comment follows: YAML takes ` #` and the rest of the line for a comment.

    Only texts that a model is shown, and right answers.
    """
    for place, comment in document.comments.items():
        if is_asked(place):
            name = next(step for step in reversed(place) if isinstance(step, str))
            shown = comment if len(comment) <= 40 else f"{comment[:40]}..."
            span = document.values[place]
            yield Problem(
                span,
                f"YAML takes '# {shown}' for a comment, so '{name}' ends before it",
                f"quote the text if that is part of it{_whole(document, span, comment)}, or put the comment on its own line",
            )


def _whole(document: Document, span: Span, comment: str) -> str:
    """What to write for a text in one line with its comment."""
    line = document.lines[span.line - 1]
    text = line[span.column - 1 :].strip()
    if not comment or not text.endswith(comment) or text.startswith(comment) or len(text) > MOST_QUOTED:
        return ""
    return f": {line[: span.column - 1].strip()} {quoted(text)}"


def is_asked(place: Place) -> bool:
    """Whether a model is shown the text at a place, or judged by it."""
    match place:
        case (
            ("probes", _, key, *_)
            | ("generators", _, "probe", key, *_)
            | ("generators", _, "probes", _, key, *_)
        ):
            return key not in NOT_ASKED
        case ("generators", _, "draw", *_) | ("task", "prompt" | "system" | "stop" | "shots", *_):
            return True
    return False
