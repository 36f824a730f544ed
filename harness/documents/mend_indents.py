"""The lines of a text and YAML's first fault in it in; which of them may be indented wrongly, and how they were meant, out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product, takewhile

from harness.documents.yaml_faults import Correction, Fault
from harness.documents.yaml_lines import Line

MOST_ABOVE = 60
"""Lines above a fault whose columns are tried."""


def indented(lines: Sequence[str], fault: Fault) -> Iterator[Correction]:
    """Corrections of the line where YAML stopped, or of those before it."""
    stopped = min(fault.line, len(lines) - 1)
    above = [n for n in range(stopped - 1, max(-1, stopped - MOST_ABOVE), -1) if not Line(lines[n]).is_blank]
    yield from _items_and_keys(lines, stopped, above)
    if above:
        yield from _under_an_empty_key(lines, stopped, above)
        yield from _first_lines(lines, stopped, above)
        yield from _moved(lines, stopped, above)
    for place, number in enumerate(above[:2]):
        yield from _moved(lines, number, above[place + 1 :])


def _under_an_empty_key(lines: Sequence[str], stopped: int, above: Sequence[int]) -> Iterator[Correction]:
    """`task:`, then `prompt: ...` in its column, then deeper lines: they belong together."""
    deep = Line(lines[stopped])
    between: list[int] = []
    for number in above:
        line = Line(lines[number])
        if line.indent >= deep.indent:
            return
        if line.key and not line.value:
            if between and all(Line(lines[n]).indent == line.indent for n in between):
                first = Line(lines[between[-1]])
                message = f"'{first.key}' stands beside '{line.key}', and what follows stands below it"
                yield _shifted(lines, sorted(between), deep.indent - first.indent, message, first)
            return
        between.append(number)


def _first_lines(lines: Sequence[str], stopped: int, above: Sequence[int]) -> Iterator[Correction]:
    """Keys at the beginning of the file that are indented, and others that are not."""
    line, first = Line(lines[stopped]), Line(lines[above[-1]])
    shallow = any(Line(lines[n]).indent <= line.indent for n in above)
    if line.key is None or first.key is None or shallow or any(lines[n].strip() for n in range(above[-1])):
        return
    message = f"'{first.key}' is indented deeper than its neighbour '{line.key}' in line {stopped + 1}"
    yield _shifted(lines, sorted(above), line.indent - first.indent, message, first)


def _moved(lines: Sequence[str], number: int, above: Sequence[int]) -> Iterator[Correction]:
    """A line, and those that go with it, in the column of another one above."""
    line = Line(lines[number])
    if line.key is None and not line.is_item:
        return
    columns: dict[int, int] = {}
    for other in above:
        there = Line(lines[other])
        if line.is_item and there.is_item:
            columns.setdefault(there.indent, other)
        elif not line.is_item and there.key is not None:
            columns.setdefault(there.column, other)
    for (column, other), block in product(columns.items(), _blocks(lines, number)):
        if column == line.indent:
            continue
        there = Line(lines[other])
        what = "'-'" if line.is_item else f"'{line.key}'"
        beside = "'-'" if line.is_item else f"'{there.key}'"
        depth = "deeper" if line.indent > column else "less deep"
        message = f"{what} is indented {depth} than its neighbour {beside} in line {other + 1}"
        yield _shifted(lines, block, column - line.indent, message, line)


def _blocks(lines: Sequence[str], number: int) -> list[list[int]]:
    """A line with the lines that may have to move with it: those just as deep, and all below it."""
    first = Line(lines[number])
    below = [number]
    for n in range(number + 1, len(lines)):
        line = Line(lines[n])
        if line.is_blank:
            continue
        if line.indent < first.indent or (line.indent == first.indent and (line.is_item or first.is_item)):
            break
        below.append(n)
    alike = list(takewhile(lambda n: Line(lines[n]).indent == first.indent, below))
    return [alike] if alike == below else [alike, below]


def _shifted(lines: Sequence[str], block: Sequence[int], by: int, message: str, first: Line) -> Correction:
    changed = {n: " " * by + lines[n] if by > 0 else lines[n][-by:] for n in block}
    spaces = first.indent + by
    count = f"{spaces} space{'' if spaces == 1 else 's'}" if spaces else "no space"
    more = f", and the {len(block) - 1} lines after it likewise" if len(block) > 2 else ""
    more = ", and the line after it likewise" if len(block) == 2 else more
    return Correction(block[0], first.indent, message, f"write it with {count} before it: {first.text.strip()[:200]}{more}", changed)  # fmt: skip


def _items_and_keys(lines: Sequence[str], stopped: int, above: Sequence[int]) -> Iterator[Correction]:
    """A stray dash before a key of an item."""
    line = Line(lines[stopped])
    if not line.is_item or line.key is None or not above:
        return
    there = Line(lines[above[0]])
    item = next((Line(lines[n]) for n in above if Line(lines[n]).is_item), None)
    if item is not None and item.key == line.key:  # it does begin an item
        return
    if there.key is not None and there.column == line.indent:
        fixed = " " * line.indent + line.text[line.column :]
        message = f"'-' begins a new item, but '{line.key}' belongs to the one above"
        yield Correction(stopped, line.indent, message, f"write it without '-': {fixed.strip()[:200]}", {stopped: fixed})  # fmt: skip
