"""A valid suite in; what its author may have meant otherwise than YAML reads it out, as warnings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import getitem

from harness.documents.document import Document, Place
from harness.documents.remedies import corrected
from harness.documents.yaml_lines import IN_QUOTES, quoted
from harness.errors import Problem
from harness.suites.suite import Probe
from harness.suites.texts import MOST_QUOTED, cut_texts, is_asked
from harness.suites.words import SUITES
from harness.wording import some

OPENING, CLOSING = "\u2018\u201a\u201c\u201e\u201f\u00ab", "\u2018\u2019\u201c\u201d\u201e\u00bb"
ESCAPES = (("\\b", "\b"), ("\\f", "\f"), ("\\v", "\v"), ("\\a", "\a"), ("\\0", "\0"))
"""How YAML writes control characters in double quotes, which patterns and LaTeX mean otherwise: "\\bword", "\\frac"."""
_UNSEEN = re.compile("[\0-\b\v\f\x0e-\x1a\x1c-\x1f\x7f\u00ad\u200b\u2060\ufeff]")
"""Not the escape character, which begins the colours of a terminal."""
_STRAY = re.compile(r"[^\"]*[^\"\d]\"\s*$")
_LISTED = re.compile(r"\s*(?:[-*\u2022]\s|\d+[.)]\s)")


def doubts(document: Document, probes: Sequence[Probe]) -> Iterator[Problem]:
    """The warnings of a suite."""
    yield from cut_texts(document)
    yield from _odd_quotes(document)
    yield from _unseen(document)
    yield from _joined_lines(document)
    yield from _categories(probes)
    if ("about",) in document.keys and not str(document.value["about"]).strip():
        yield Problem(
            document.span(("about",)),
            "'about' is empty",
            f"say what the suite protects; write: {SUITES['about']}",
        )


def _odd_quotes(document: Document) -> Iterator[Problem]:
    """Quotes that are none for YAML, so that they are part of the text."""
    numbers = {
        number
        for number, line in enumerate(document.lines, start=1)
        if any(mark in line for mark in OPENING) or _STRAY.fullmatch(line)
    }
    for place, span in document.values.items() if numbers else ():
        if span.line not in numbers or not is_asked(place):
            continue
        text = reduce(getitem, place, document.value)
        written = document.rest(span)
        if not isinstance(text, str) or not written or written[0] in "\"'":
            continue
        key = next(step for step in reversed(place) if isinstance(step, str))
        if (
            len(text) > 1
            and text[0] in OPENING
            and text[-1] in CLOSING
            and not any(c in text[1:-1] for c in OPENING)
        ):
            hint = f"if they stand for YAML's, write: {_item(place)}{quoted(text[1:-1])[:MOST_QUOTED]}"
            yield Problem(span, f"the quotes {text[0]}{text[-1]} are part of the text of '{key}'", hint)
        elif _STRAY.fullmatch(text) and "\n" not in text:
            hint = f"if it stands for YAML's, write: {_item(place)}{quoted(text[:-1])[:MOST_QUOTED]}"
            yield Problem(span, f"the text of '{key}' ends with a quote that nothing opens", hint)


def _unseen(document: Document) -> Iterator[Problem]:
    """Texts with a control character, which is an escape such as the \\b of a pattern, or one that nobody sees."""
    for place, span in document.values.items():
        text = reduce(getitem, place, document.value)
        found = _UNSEEN.search(text) if isinstance(text, str) else None
        if found is None:
            continue
        key = next((step for step in reversed(place) if isinstance(step, str)), "")
        message = f"the text of '{key}' has a character that cannot be seen (U+{ord(found[0]):04X})"
        escape = next((mark for mark, character in ESCAPES if character == found[0]), None)
        whole = IN_QUOTES.match(document.rest(span))
        if escape and whole and whole[0][0] == '"' and escape in whole[0]:
            meant = "'" + whole[0][1:-1].replace("'", "''") + "'"
            hint = f"in double quotes {escape} is that character; single quotes have no escapes; write: {corrected(document, place, meant)}"
        else:
            hint = "type the text anew"
        yield Problem(span, message, hint)


def _item(place: Place) -> str:
    return f"{place[-1]}: " if isinstance(place[-1], str) else ""


def _joined_lines(document: Document) -> Iterator[Problem]:
    """Texts whose lines look like a list, and which YAML joins to one line."""
    for place, last in document.folded.items():
        first = document.values[place].line
        if is_asked(place) and any(map(_LISTED.match, document.lines[first:last])):
            key = next(step for step in reversed(place) if isinstance(step, str))
            yield Problem(
                document.values[place],
                f"YAML joins the lines of '{key}' to one, and some look like items of a list",
                f"to keep the lines write '{key}: |' and the whole text below it, indented by two spaces more",
            )


def _categories(probes: Sequence[Probe]) -> Iterator[Problem]:
    """Categories that are the same but for capitals, spaces and dashes."""
    alike: dict[str, dict[str, list[Probe]]] = {}
    for probe in probes:
        if probe.category is not None:
            plain = re.sub(r"[\s_-]+", "", probe.category).casefold()
            alike.setdefault(plain, {}).setdefault(probe.category, []).append(probe)
    for names in alike.values():
        if len(names) > 1:
            usual, *others = sorted(names, key=lambda name: -len(names[name]))
            span = names[others[0]][0].span
            message = f"the categories {some([repr(usual), *map(repr, others)])} differ only in how they are written"
            yield Problem(
                span, message, f"each is gated by itself; write one of them everywhere: category: {usual}"
            )
