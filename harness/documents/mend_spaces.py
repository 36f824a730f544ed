"""The lines of a text and YAML's first fault in it in; tabs and other white space before text, as spaces, out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.documents.yaml_faults import Correction, Fault
from harness.documents.yaml_lines import Line, shown

SPACES = "\u00a0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff"
_STRANGE = re.compile(rf"^([ -]*)([\t {SPACES}]*[{SPACES}][\t {SPACES}]*)")
_TABS = re.compile(r"^[ -]*\t[ \t]*")


def white_space(lines: Sequence[str], fault: Fault) -> Iterator[Correction]:
    """Tabs and strange spaces before the text of lines: all of the file's at once."""
    kinds = (
        (_TABS, "a tab where YAML allows only spaces", "indent with spaces"),
        (_STRANGE, "which YAML takes for text", "type plain spaces"),
    )
    for pattern, message, remedy in kinds:
        found = [(number, match) for number, line in enumerate(lines) if (match := pattern.match(line))]
        if not found or found[0][0] > fault.line:
            continue
        first, match = found[0]
        odd = next(character for character in match[0] if character not in " -")
        named = (
            message if odd == "\t" else f"{_NAMES.get(odd, 'a special space')} (U+{ord(odd):04X}), {message}"
        )
        more = f"; so in {len(found)} lines" if len(found) > 1 else ""
        for width in (2, 4, 1, 8):
            changed = {number: _spaced(lines[number], width) for number, _ in found}
            yield Correction(
                first, match[0].index(odd), named + more, _spaces(changed[first], remedy), changed
            )
        if len(found) == 1:
            for column in _columns_before(lines, first):
                changed = {first: " " * column + re.sub(rf"^[ \t{SPACES}]+", "", lines[first])}
                yield Correction(first, match[0].index(odd), named, _spaces(changed[first], remedy), changed)


_NAMES = {"\u00a0": "a non-breaking space", "\u200b": "an invisible space", "\ufeff": "an invisible mark"}
_UNSEEN = str.maketrans({"\u200b": "", "\u2060": "", "\ufeff": ""})


def _spaces(line: str, remedy: str) -> str:
    return f"{remedy}; write it with {Line(line).indent} of them before it: {shown(line)}"


def _spaced(line: str, width: int) -> str:
    """A line with plain spaces before its text."""
    rest = re.sub(rf"^[- \t{SPACES}]+", "", line)
    before = line[: len(line) - len(rest)]
    before = re.sub(r"-\t+", "- ", before).replace("\t", " " * width).translate(_UNSEEN)
    return re.sub(rf"[{SPACES}]", " ", before) + rest


def _columns_before(lines: Sequence[str], number: int) -> list[int]:
    """The columns where the keys of the lines before begin, the nearest first."""
    above = (Line(lines[n]) for n in range(number - 1, max(-1, number - 20), -1))
    return list(dict.fromkeys(line.column for line in above if line.key is not None))
