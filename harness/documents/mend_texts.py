"""The lines of a text and YAML's first fault in it in; texts of several lines, as they were meant, out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from harness.documents.yaml_faults import Correction, Fault
from harness.documents.yaml_lines import Line, escaped


def is_text(lines: Sequence[str], fault: Fault) -> bool:
    """Whether the line where YAML stopped looks like text with a colon rather than like a key."""
    key = Line(lines[min(fault.line, len(lines) - 1)]).key
    return key is not None and re.fullmatch(r"[a-z][a-z_]*", key) is None


def texts_over_lines(lines: Sequence[str], fault: Fault) -> Iterator[Correction]:
    """A text that goes on in deeper lines, one of which looks like a key."""
    last = min(fault.line, len(lines) - 1)
    begins = [
        number
        for number in range(max(0, last - 50), last)
        if Line(lines[number]).key and Line(lines[number]).column < Line(lines[last]).indent
    ]
    for number in reversed(begins):
        start = Line(lines[number])
        after = (
            n
            for n in range(number + 1, len(lines))
            if lines[n].strip() and Line(lines[n]).indent <= start.column
        )
        end = next(after, len(lines)) - 1
        if not start.value or start.value[0] in "\"'|>[{" or end <= number or end - number > 500:
            continue
        changed: dict[int, str] = {number: start.text.replace(start.value, '"' + escaped(start.value), 1)}
        changed |= {n: escaped(lines[n]) for n in range(number + 1, end + 1)}
        changed[end] += '"'
        yield Correction(
            number, start.column, f"the text of '{start.key}' goes on over lines with ': ' in them",
            f"write '{start.key}: |' and the whole text below it, indented by two spaces more", changed,
        )  # fmt: skip


def continued(lines: Sequence[str], here: Sequence[int]) -> Iterator[Correction]:
    """A line that is neither a key nor an item: a text that goes on without being indented, or a stray line."""
    for number in here:
        line = Line(lines[number])
        if line.key is not None or number == 0:
            continue
        owner = next((n for n in range(number - 1, -1, -1) if Line(lines[n]).key is not None), None)
        if owner is None:
            continue
        above = Line(lines[owner])
        changed = {
            n: " " * (above.column + 2) + lines[n].lstrip()
            for n in range(owner + 1, number + 1)
            if lines[n].strip()
        }
        changed |= _rest_of_text(lines, number, above.column)
        span = f"{above.column + 2} spaces"
        yield Correction(
            number, line.indent, f"this line is neither 'key: value' nor an item of a list; does it belong to '{above.key}' above?",
            f"indent it by {span}: the lines of a text stand deeper than its key", changed,
        )  # fmt: skip
        yield Correction(number, line.indent, "this line is neither 'key: value' nor an item of a list", "remove it, or begin it with '#'", {number: ""})  # fmt: skip


def _rest_of_text(lines: Sequence[str], number: int, column: int) -> Mapping[int, str]:
    """The lines after one that is no key, up to the next key or item, indented like it."""
    changed: dict[int, str] = {}
    for n in range(number + 1, min(len(lines), number + 200)):
        line = Line(lines[n])
        if line.key is not None or line.is_item:
            break
        if lines[n].strip():
            changed[n] = " " * (column + 2) + lines[n].lstrip()
    return changed
