"""A line of YAML that may be wrong in, its keys and values as its author meant them out.

Only lines as people write them are understood: `key: value`, `- key: value`, and `{key: value, key: value}`. A value ends
where the next key begins, whatever its quotes and brackets say.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import yaml

CLOSING = {"{": "}", "[": "]"}
SPECIAL = "@`%&*!|>?-,"
"""Characters with which YAML begins something else than text; `?`, `-` and `,` only before a space."""

LONGEST = 20_000
"""Characters of a line in braces that is taken apart, which takes longer than reading it."""

LIKE_A_KEY = "text with ': ' in it needs quotes: YAML takes what stands before it for a key"

LONG_LINE = 200
"""Characters of a corrected line that are shown whole."""

IN_QUOTES = re.compile(r'"(?:[^"\\]|\\.)*"' r"|'(?:[^']|'')*'")
"""A text with the quotes around it."""

_NAME = r"""[A-Za-z_](?:[\w.-]| (?=[\w.]))*|"[^"\n]*"|'[^'\n]*'"""
_KEYED = re.compile(rf"(?P<key>{_NAME})[ \t]*:(?=[ \t]|$)[ \t]*")
_NEXT = re.compile(rf",[ \t]*(?=(?:{_NAME})[ \t]*:(?:[ \t]|$))")
_FIRST = re.compile(r"[ \t]*(?:-[ \t]+)*")
_SEPARATOR = re.compile(r"[ \t]*,")
_COMMENT = re.compile(r"[ \t]#")
_AFTER = re.compile(r"[ \t]*(?:[,}\]]|$|[ \t]#)")


@dataclass(frozen=True)
class Piece:
    """A value of a line, and the columns, from 0, where it is."""

    key: str | None
    text: str
    start: int
    end: int
    in_braces: bool

    @cached_property
    def after_quotes(self) -> int | None:
        """Where the quotes end with which the text begins; None if they never do, or there are none."""
        found = IN_QUOTES.match(self.text)
        return found.end() if found else None

    @property
    def meant(self) -> str:
        """The text without the quotes around it."""
        quote = self.text[:1]
        if quote not in ('"', "'"):
            return self.text
        inner = self.text[1:]
        return inner.removesuffix(quote) if inner.endswith(quote) or self.after_quotes is None else self.text


@dataclass(frozen=True)
class Line:
    """A line: where its first key or value begins, after dashes, and its pieces."""

    text: str

    @cached_property
    def column(self) -> int:
        found = _FIRST.match(self.text)
        return found.end() if found else 0

    @cached_property
    def indent(self) -> int:
        return len(self.text) - len(self.text.lstrip(" "))

    @property
    def is_item(self) -> bool:
        return re.match(r" *-(?: |$)", self.text) is not None

    @property
    def is_blank(self) -> bool:
        return not self.text.strip() or self.text.lstrip().startswith("#")

    @cached_property
    def key(self) -> str | None:
        """The key that the line begins with."""
        found = _KEYED.match(self.text, self.column)
        return found["key"].strip("\"'") if found else None

    @cached_property
    def value(self) -> str:
        """What follows the key, or the dashes."""
        found = _KEYED.match(self.text, self.column)
        return self.text[found.end() if found else self.column :].rstrip()

    @cached_property
    def pieces(self) -> list[Piece]:
        found = _KEYED.match(self.text, self.column)
        start = found.end() if found else self.column
        value = self.text[start:].rstrip()
        if len(value) <= LONGEST and re.match(rf"\{{[ \t]*(?:{_NAME})[ \t]*:[ \t]", value):
            return list(_in_braces(self.text, start + 1))
        return [Piece(self.key, value, start, start + len(value), False)] if value else []

    def replaced(self, piece: Piece, text: str) -> str:
        """The line with another text for a piece."""
        return self.text[: piece.start] + text + self.text[piece.end :]


def _in_braces(line: str, start: int) -> Iterator[Piece]:
    """The values of `{key: value, key: value}`, whose first key begins at or after `start`."""
    last = line.rstrip()
    end = len(last) - 1 if last.endswith("}") else len(last)
    at = start
    while found := _KEYED.match(line, end - len(line[at:end].lstrip(" \t")), end):
        first = found.end()
        stop, at = _value_end(line, first, end)
        yield Piece(found["key"].strip("\"'"), line[first:stop], first, stop, True)


def _value_end(line: str, start: int, end: int) -> tuple[int, int]:
    """Where a value ends, and where the next key begins."""
    if line[start : start + 1] in ('"', "'"):
        quote = line[start]
        for closing in re.finditer(re.escape(quote), line[start + 1 : end]):
            after = start + 1 + closing.end()
            if _AFTER.match(line, after):
                separator = _SEPARATOR.match(line, after)
                return after, separator.end() if separator else end
    elif line[start : start + 1] in CLOSING and (closed := bracket_end(line, start, end)) is not None:
        separator = _SEPARATOR.match(line, closed)
        if separator or closed >= end:
            return closed, separator.end() if separator else end
    found = _NEXT.search(line, start, end)
    stop = found.start() if found else end
    return start + len(line[start:stop].rstrip()), found.end() if found else end


def bracket_end(line: str, start: int, end: int) -> int | None:
    """Where the bracket at `start` closes; None if it does not."""
    depth = 0
    for at in range(start, end):
        depth += (line[at] in "{[") - (line[at] in "}]")
        if depth == 0:
            return at + 1
    return None


def shown(line: str) -> str:
    """A corrected line, to paste; the middle of a long one is left out."""
    line = line.strip()
    return line if len(line) <= LONG_LINE else f"{line[: LONG_LINE // 2]} ... {line[-LONG_LINE // 2 :]}"


def quoted(text: str) -> str:
    """A text in quotes, on one line."""
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    if "'" not in text:
        return f"'{text}'"
    return f'"{escaped(text)}"'


def double_quoted(text: str) -> str:
    """Any text in double quotes, on one line, as YAML reads it back."""
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=sys.maxsize).strip()


def escaped(text: str) -> str:
    """A text as it stands within double quotes, but for its line breaks and tabs."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def unreadable(piece: Piece) -> str | None:
    """Why YAML cannot read a value as the text that it is; None if it can."""
    text, first = piece.text, piece.text[:1]
    if first in ('"', "'"):
        return _wrong_quotes(piece)
    if first in CLOSING:
        return _wrong_brackets(piece)
    if first and first in SPECIAL and not (first in "?-" and text[1:2].strip()) and not _is_block(piece):
        return f"text that begins with '{first}' needs quotes"
    if re.search(r":(?:\s|$)", text):
        return LIKE_A_KEY
    if piece.in_braces and _COMMENT.search(text):
        return "text with ' #' in it needs quotes: YAML takes the rest of the line for a comment"
    if piece.in_braces and (found := re.search(r"[{}\[\]]", text)):
        return f"text with '{found[0]}' in it needs quotes inside {{}}"
    return None


def _is_block(piece: Piece) -> bool:
    return not piece.in_braces and re.match(r"[|>][-+\d]*[ \t]*(#.*)?$", piece.text) is not None


def _wrong_quotes(piece: Piece) -> str | None:
    quote, end = piece.text[0], piece.after_quotes
    shown = "quotes" if quote == '"' else "single quotes"
    if end is None:
        if piece.text.endswith(quote) and len(piece.text) > 1 and quote == '"':
            return "a backslash before the closing quote makes it part of the text"
        return f"the quote {quote} that opens here is never closed"
    rest = piece.text[end:].strip()
    if rest and not rest.startswith("#"):
        inside = "apostrophe" if quote == "'" else "quote"
        if piece.text.rstrip().endswith(quote):
            return f"the {inside} {quote} inside {shown} ends the text at {piece.text[:end][-20:]}"
        return f"the text in {shown} ends at {piece.text[:end][-20:]}, and more follows"
    if quote == '"' and re.search(r'\\(?![0abtnvfre "/\\N_LPxuU\t])|\\x(?![\da-fA-F]{2})|\\u(?![\da-fA-F]{4})|\\U(?![\da-fA-F]{8})', piece.text):  # fmt: skip
        return "a backslash in double quotes begins an escape, such as \\n; single quotes have none"
    return None


def _wrong_brackets(piece: Piece) -> str | None:
    end = bracket_end(piece.text, 0, len(piece.text))
    if end is None:
        return None
    rest = piece.text[end:].strip()
    if rest and not rest.startswith("#"):
        kind = "a mapping" if piece.text[0] == "{" else "a list"
        return f"text that begins with '{piece.text[0]}' needs quotes: YAML takes {piece.text[:end][:30]} for {kind}"
    return None
