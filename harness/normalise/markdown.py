"""Markdown in a text made text: emphasis, headings, links, code, lists, quotes and tables.

Not through a Markdown library: those follow CommonMark, where `2*3*4` is 2, an emphasised 3 and 4, the answer `42.` is an
empty list, and `2015. It was` loses its year. Here a mark goes only where it can mean nothing else.
"""

from __future__ import annotations

import re

_FENCE = re.compile(r"[ \t]{0,3}(?:`{3,}+|~{3,}+)[^`]*+")
_SPAN = re.compile(r"(?<!`)(`{1,3})(?!`)([^`\n]++)\1(?!`)")
_HELD = re.compile("\ue000(\\d+)\ue001")
_LINK = re.compile(r'!?\[([^\[\]\n]{1,300})\]\([^()\s]{1,500}(?: "[^"\n]{0,200}")?\)')
_QUOTE = re.compile(r"[ \t]*(?:>(?!\d)[ \t]?)+")
"""A quote; `>25` is none, but more than 25."""
_HEADING = re.compile(r"(?!#{4} [-$]?\d)[ \t]{0,3}#{1,6}[ \t]+(?=\S)")
"""A heading; `#### 42` is none, as it marks the final answers of GSM8K."""
BULLETS = "-*+\u2022\u2023\u25aa\u25cf\u25e6"
_BULLET = re.compile(rf"[ \t]*[{BULLETS}][ \t]+(?=\S)")
_NUMBERED = re.compile(r"[ \t]*(?:\*\*)?(\d{1,3})[.)](?:\*\*)?[ \t]+(?=\S)")
_STRUCK = re.compile(r"~~[^~\n]{1,200}~~")
_MARKS = re.compile(r"(?<!\\)(?:\*{1,3}|_{1,3})")
_DUNDER = re.compile(r"__[a-z]\w*__(?!\w)")
_ESCAPE = re.compile(r"\\([*_#$`\[\]()<>~.!+&%{}-])")


def held_code(text: str) -> tuple[str, list[str]]:
    """The text with a place holder for each fenced block and code span, and their contents, which are as written."""
    contents: list[str] = []

    def hold(content: str) -> str:
        contents.append(content)
        return f"\ue000{len(contents) - 1}\ue001"

    lines: list[str] = []
    fenced: list[str] | None = None
    for line in text.replace("\ue000", "").replace("\ue001", "").split("\n"):
        if _FENCE.fullmatch(line):
            if fenced is not None:
                lines.append(hold("\n".join(fenced)))
            fenced = [] if fenced is None else None
        else:
            (lines if fenced is None else fenced).append(line)
    if fenced is not None:
        lines.append(hold("\n".join(fenced)))
    return _SPAN.sub(lambda span: hold(span[2]), "\n".join(lines)), contents


def with_code(text: str, contents: list[str]) -> str:
    """The text with code back in its places."""
    return _HELD.sub(lambda place: contents[int(place[1])], text)


def without_markdown(text: str) -> str:
    """The text, from which code was taken, without the marks of Markdown."""
    lines = [line for line in map(_unquoted, text.split("\n")) if not _is_rule(line)]
    if "|" in text:
        lines = [_row(line) for line in lines]
    text = "\n".join(_unlisted(lines))
    text = _STRUCK.sub("", _LINK.sub(r"\1", text))
    return _ESCAPE.sub(r"\1", _without_emphasis(text))


def _unquoted(line: str) -> str:
    quote = _QUOTE.match(line)
    line = line[quote.end() :] if quote else line
    heading = _HEADING.match(line)
    if not heading:
        return line
    title = line[heading.end() :].rstrip()
    bare = title.rstrip("#")
    return bare.rstrip() if bare[-1:].isspace() else title


def _is_rule(line: str) -> bool:
    """Whether a line only divides: `---`, `***`, or the line below the head of a table."""
    marks = set(line) - {" ", "\t"}
    alone = marks in ({"*"}, {"-"}, {"_"}, {"="}) and len(line.replace(" ", "").strip()) >= 3
    return alone or ({"-", "|"} <= marks <= {"-", "|", ":"})


def _row(line: str) -> str:
    """A row of a table as its cells with commas between them."""
    cells = line.strip()
    if not cells.startswith("|"):
        return line
    return ", ".join(cell.strip() for cell in cells.strip("|").split("|"))


def _unlisted(lines: list[str]) -> list[str]:
    """The lines without bullets, and without numbers that count up from 1: any other number may be the answer."""
    lines = [line[bullet.end() :] if (bullet := _BULLET.match(line)) else line for line in lines]
    found = {place: marker for place, line in enumerate(lines) if (marker := _NUMBERED.match(line))}
    due, counted = 1, []
    for place, marker in found.items():
        if (number := int(marker[1])) in (1, due):
            counted.append(place)
            due = number + 1
    if (
        len(counted) == 1 and len(lines[counted[0]].split()) > 4
    ):  # "1. It is the first odd number" names a number
        counted = []
    for place in counted:
        marker = found[place]
        bold = "**" if marker.group().count("**") == 1 else ""
        lines[place] = bold + lines[place][marker.end() :]
    return lines


def _without_emphasis(text: str) -> str:
    """The text without pairs of `*` and `_` around words; those between numbers, or without a partner, stay."""
    kept = [(name.start(), name.end()) for name in _DUNDER.finditer(text)]
    names = {place for start, end in kept for place in (start, end - 2)}
    waiting: dict[str, list[int]] = {}
    gone: dict[int, str] = {}
    line_end = -1
    for mark in _MARKS.finditer(text):
        if mark.start() > line_end:  # emphasis does not go on over lines
            line_end = text.find("\n", mark.start()) % (len(text) + 1)
            waiting.clear()
        before, after = text[mark.start() - 1 : mark.start()], text[mark.end() : mark.end() + 1]
        if mark.start() in names or _is_operator(mark.group(), before, after):
            continue
        opens, closes = after.strip() != "", before.strip() != ""
        if mark.group()[0] == "_":
            opens, closes = opens and not before.isalnum(), closes and not after.isalnum()
        pending = waiting.setdefault(mark.group(), [])
        if closes and pending:
            gone[pending.pop()] = gone[mark.start()] = mark.group()
        elif opens:
            pending.append(mark.start())
    pieces, done = [], 0
    for place, mark_text in sorted(gone.items()):
        pieces.append(text[done:place])
        done = place + len(mark_text)
    return "".join((*pieces, text[done:]))


def _is_operator(mark: str, before: str, after: str) -> bool:
    """Whether a star multiplies: it stands between numbers or brackets, or alone between letters."""
    left, right = before.isdigit() or before == ")", after.isdigit() or after == "("
    return (mark[0] == "*" and left and right) or (mark == "*" and before.isalnum() and after.isalnum())
