"""A document in, a warning for each unquoted text that YAML may have cut out: it takes ` #` and the rest for a comment."""

from __future__ import annotations

from collections.abc import Iterator

from harness.documents.document import Document, Place
from harness.errors import Problem

NO_TEXTS = frozenset({"id", "category", "severity", "score", "note"})
"""The keys of a probe that no model is shown, and that judge by no text."""


def cut_texts(document: Document) -> Iterator[Problem]:
    """The texts for a model, or of right answers, that a comment follows."""
    for place, comment in document.comments.items():
        if _is_asked(place):
            name = next(step for step in reversed(place) if isinstance(step, str))
            shown = comment if len(comment) <= 40 else f"{comment[:40]}..."
            yield Problem(
                document.values[place],
                f"YAML takes '# {shown}' for a comment, so '{name}' ends before it",
                "quote the text if that belongs to it; write a comment into a line of its own",
            )


def _is_asked(place: Place) -> bool:
    match place:
        case ("probes", _, key, *_) | ("generators", _, "probe", key, *_):
            return key not in NO_TEXTS
        case ("generators", _, "draw", *_) | ("task", "prompt" | "system" | "stop" | "shots", *_):
            return True
    return False
