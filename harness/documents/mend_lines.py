"""The lines of a text and YAML's first fault in it in; how its author may have meant it out, the likeliest first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from harness.documents.mend_indents import indented
from harness.documents.mend_spaces import SPACES, white_space
from harness.documents.mend_texts import continued, is_text, texts_over_lines
from harness.documents.yaml_faults import Correction, Fault
from harness.documents.yaml_lines import CLOSING, LIKE_A_KEY, LONGEST, Line, Piece, quoted, shown, unreadable

MOST_BACK = 2_000
"""Lines before a fault that are searched for its beginning."""

_ODD_COLON = re.compile(
    rf"^([ \t]*(?:- +)*[A-Za-z_][\w-]*)(?:\uff1a[ ]*|:[{SPACES}]+|[ ]+=[ ]+|=|:(?=[^\s/:]))(?=\S)"
)


def corrections(lines: Sequence[str], fault: Fault) -> Iterator[Correction]:
    """Corrections of a fault, each of one author's mistake."""
    here = _near(lines, fault)
    if not fault.is_syntax:
        yield from _aliases(lines, fault)
        return
    yield from white_space(lines, fault)
    yield from _foreign_lines(lines, here)
    yield from _colons(lines, here)
    yield from _open_quotes(lines, fault)
    yield from _commas(lines, here)
    yield from _open_brackets(lines, here)
    yield from _block_marks(lines, here)
    yield from _values(lines, here)
    if "flow" in fault.message:  # inside brackets, where columns mean nothing
        return
    if is_text(lines, fault):
        yield from texts_over_lines(lines, fault)
    yield from indented(lines, fault)
    yield from texts_over_lines(lines, fault)
    yield from continued(lines, here)


def _near(lines: Sequence[str], fault: Fault) -> list[int]:
    """The lines where a fault is likely: where YAML stopped, where what it was reading began, and the one before."""
    stopped = min(fault.line, len(lines) - 1)
    before = next((n for n in range(stopped - 1, -1, -1) if not Line(lines[n]).is_blank), stopped)
    began = min(fault.opened[0], len(lines) - 1) if fault.opened else before
    found = [stopped, began, before]
    return list(dict.fromkeys(number for number in found if not Line(lines[number]).is_blank))


def _mend(number: int, column: int, message: str, line: str) -> Correction:
    return Correction(number, column, message, f"write: {shown(line)}", {number: line})


# Aliases


def _aliases(lines: Sequence[str], fault: Fault) -> Iterator[Correction]:
    """Text that begins with `*`, in quotes; a misspelt name, corrected."""
    line = Line(lines[fault.line])
    found = re.compile(r"\*([^\s,\[\]{}]+)").match(line.text, fault.column)
    if found is None or line.key == "<<":
        return
    if near := re.search(r"'\*(.+)'\?", fault.hint or ""):
        fixed = f"{line.text[: fault.column]}*{near[1]}{line.text[found.end() :]}"
        yield _mend(fault.line, fault.column, fault.message, fixed)
    for piece in line.pieces:
        if piece.start == fault.column:
            yield _quoted_pieces(fault.line, line, [piece])


# Lines that are not of YAML


def _foreign_lines(lines: Sequence[str], here: Sequence[int]) -> Iterator[Correction]:
    fences = [number for number, line in enumerate(lines) if line.lstrip().startswith("```")]
    if fences and any(number in here for number in fences):
        message, remedy = "``` is Markdown's, not YAML's", "remove this line"
        yield Correction(fences[0], 0, message, remedy, dict.fromkeys(fences, ""))
    for number in here:
        line = lines[number]
        if (found := re.match(r"[ \t]*(//|--(?!-)|;)", line)) is not None:
            fixed = line.replace(found[1], "#", 1)
            yield _mend(number, found.start(1), f"a comment begins with '#', not with '{found[1]}'", fixed)


# Between a key and its value


def _colons(lines: Sequence[str], here: Sequence[int]) -> Iterator[Correction]:
    for number in here:
        line = lines[number]
        if found := re.match(r"( *)-(?=[A-Za-z_][\w-]*:)", line):
            fixed = f"{found[0]} {line[found.end() :]}"
            yield _mend(number, found.end() - 1, "'-' needs a space after it", fixed)
        if found := _ODD_COLON.match(line):
            key = found[1].strip("- \t")
            fixed = f"{found[1]}: {line[found.end() :]}"
            yield _mend(number, found.end(1), f"'{key}' needs ': ' after it, a colon and a space", fixed)


def _block_marks(lines: Sequence[str], here: Sequence[int]) -> Iterator[Correction]:
    """Text behind the `|` or `>` that announces lines of text below it."""
    for number in here:
        line = Line(lines[number])
        mark = re.match(r"[|>][-+]?[ \t]+(?=[^\s#])", line.value)
        below = next((Line(text) for text in lines[number + 1 : number + 3] if text.strip()), None)
        if mark and line.key and below is not None and below.indent > line.column:
            fixed = line.text.replace(line.value, line.value[mark.end() :], 1)
            message = f"'{mark[0].strip()}' ends its line: the text begins in the next one"
            hint = f"write '{line.key}: {mark[0].strip()}' and the whole text below it, indented by two spaces more"
            yield Correction(number, line.text.index(line.value), message, hint, {number: fixed})


# Quotes and values that need them


def _open_quotes(lines: Sequence[str], fault: Fault) -> Iterator[Correction]:
    """Texts whose opening quote is not closed in the line, the first of what YAML was reading first."""
    began = fault.opened[0] if fault.opened else 0
    first = max(0, began, min(fault.line, len(lines) - 1) - MOST_BACK)
    for number in range(first, min(fault.line, len(lines) - 1) + 1):
        if not ('"' in lines[number] or "'" in lines[number]):
            continue
        line = Line(lines[number])
        for piece in line.pieces:
            if piece.text[:1] in ('"', "'") and piece.after_quotes is None:
                yield replace(_quoted_pieces(number, line, [piece]), swallows=True)


def _values(lines: Sequence[str], here: Sequence[int]) -> Iterator[Correction]:
    """Values that YAML cannot read as the text that they are."""
    for number in here:
        if len(lines[number]) > LONGEST and "{" in lines[number][:200]:
            continue
        line = Line(lines[number])
        wrong = [piece for piece in line.pieces if unreadable(piece)]
        if wrong:
            yield _quoted_pieces(number, line, wrong)
            if len(wrong) > 1:
                yield _quoted_pieces(number, line, wrong[:1])
        elif (found := _whole_item(line)) is not None:
            yield _quoted_pieces(number, line, [found])


def _whole_item(line: Line) -> Piece | None:
    """The text of an item of a list that looks like a key: `- Answer in a word: why`."""
    text = line.text[line.column :].rstrip()
    if not line.is_item or line.key is None or re.search(r":\s", text) is None or text.startswith(("{", "[")):
        return None
    return Piece(None, text, line.column, line.column + len(text), False)


def _quoted_pieces(number: int, line: Line, pieces: Sequence[Piece]) -> Correction:
    fixed = line
    for piece in reversed(pieces):
        fixed = Line(fixed.replaced(piece, quoted(piece.meant)))
    message = unreadable(pieces[0]) or LIKE_A_KEY
    opened = _open(fixed.text) if pieces[0].in_braces and pieces[-1].end == len(line.text.rstrip()) else ""
    return _mend(number, pieces[0].start, message, fixed.text + (opened if isinstance(opened, str) else ""))


# Brackets and commas


def _open_brackets(lines: Sequence[str], here: Sequence[int]) -> Iterator[Correction]:
    for number in here:
        line = lines[number].rstrip()
        if line.endswith(("{", "[")):
            continue
        opened = _open(line)
        if isinstance(opened, str) and opened:
            body, comment = re.match(r"(.*?)(\s*,?(?:\s#.*)?)$", line).groups()  # type: ignore[union-attr]
            column = max(line.rfind(bracket) for bracket in CLOSING if CLOSING[bracket] in opened)
            message = f"'{line[column]}' opens here and is never closed"
            yield _mend(number, column, message, body + opened + comment)
        elif isinstance(opened, int):
            message = f"'{line[opened]}' closes what nothing opened"
            yield _mend(number, opened, message, line[:opened] + line[opened + 1 :])


def _open(line: str) -> str | int:
    """What closes the brackets that a line leaves open, or the column of one that closes too many; quotes are respected."""
    closers: list[str] = []
    found: re.Match[str]
    for found in re.finditer(
        r"""(?<=[\s:\[{,])"(?:[^"\\]|\\.)*"|(?<=[\s:\[{,])'(?:[^']|'')*'|\s#.*|[\[\]{}]""", line
    ):
        if found[0] in CLOSING:
            closers.append(CLOSING[found[0]])
        elif closers and found[0].lstrip().startswith("#"):
            return ""
        elif found[0] in ("]", "}"):
            if not closers or closers[-1] != found[0]:
                return found.start()
            closers.pop()
    return "".join(reversed(closers))


def _commas(lines: Sequence[str], here: Sequence[int]) -> Iterator[Correction]:
    """Values in braces without a comma between them."""
    for number in here:
        line = lines[number]
        above = lines[number - 1].rstrip() if number else ""
        if re.match(r"""\s*["{]""", line) and re.search(r"""["\w\]}]$""", above) and not above.endswith(","):
            yield _mend(number - 1, len(above), "a comma separates the values inside {} and []", f"{above},")
        if "{" not in line or len(line) > LONGEST:
            continue
        between = r"""(?<=["'\]}])\s+(?=[A-Za-z_]\w*:\s)|\s*;\s*(?=[A-Za-z_]\w*:\s)"""
        for found in islice(re.finditer(between, line), 10):
            fixed = f"{line[: found.start()]}, {line[found.end() :]}"
            yield _mend(number, found.start(), "a comma separates the values inside {}", fixed)
        spaced = re.sub(r"([{,]\s*[A-Za-z_]\w*):(?=[^\s/:])", r"\1: ", line)
        if spaced != line:
            yield _mend(number, 0, "a key inside {} needs ': ' after it, a colon and a space", spaced)
