"""A text as a chat model writes it in, its fenced blocks and the text around them out, in linear time."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

_OPENS = re.compile(r"[ \t]*+(?:(?:[-*+]|\d{1,3}[.)])[ \t]++)?(`{3,}+|~{3,}+)[ \t]*+\{?\.?([^`\n]*+)$")
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@dataclass(frozen=True)
class Block:
    """A part of a text: fenced, with the language that its fence names ('' for none), or not (language None)."""

    text: str
    language: str | None = None
    closed: bool = True


def blocks(text: str) -> list[Block]:
    """The parts of a text in order, its fenced blocks and what stands between them.

    A fence is three or more backticks or tildes at the start of a line, or after the mark of a list. Its block ends at
    the next such fence, at a line that ends with it, or at the end of the text: then it is not closed.
    """
    parts: list[Block] = []
    lines: list[str] = []
    fence, language = "", ""
    for line in text.replace("\r\n", "\n").split("\n"):
        opens = _OPENS.match(line)
        if not fence and opens:
            parts.append(Block("\n".join(lines)))
            lines, (fence, language) = [], _opened(opens)
        elif fence and line.lstrip(" \t").startswith(fence):
            parts.append(_fenced(lines, language))
            # A fence with a language does not close a block but begins the next.
            lines, (fence, language) = [], _opened(opens) if opens and opens[2].strip() else ("", "")
        elif fence and line.endswith(fence):
            parts.append(_fenced([*lines, line.rstrip(fence[0])], language))
            lines, fence = [], ""
        else:
            lines.append(line)
    parts.append(_fenced(lines, language, closed=False) if fence else Block("\n".join(lines)))
    return [part for part in parts if part.language is not None or part.text.strip()]


def _opened(match: re.Match[str]) -> tuple[str, str]:
    return match[1], (match[2].split() or [""])[0].strip("}").lower()


def _fenced(lines: list[str], language: str, closed: bool = True) -> Block:
    text = textwrap.dedent("\n".join(lines))
    return Block(text + "\n" if closed else text, language, closed)


def spans(text: str) -> Iterator[str]:
    """The inline code of a text, between single backticks."""
    return (match[1] for match in _SPAN.finditer(text))
