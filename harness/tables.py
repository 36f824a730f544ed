"""Rows of cells in, the lines of a table out: for a terminal, or as Markdown."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence

from harness.visible import visible


def aligned(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> Iterator[str]:
    """Columns two spaces apart, those in `left` flush left, the others flush right; the heading is the first row."""
    shown = [[visible(text) for text in row] for row in rows]
    widths = [max(map(columns, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        yield "  ".join(_filled(row, widths, left)).rstrip()


def markdown(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> Iterator[str]:
    """A Markdown table with its first row as heading; its source is aligned too."""
    widths = [max(3, *(columns(row[column]) for row in rows)) for column in range(len(rows[0]))]
    rule = ["-" * width if i in left else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    for row in [rows[0], rule, *rows[1:]]:
        yield f"| {' | '.join(_filled(row, widths, left))} |"


def _filled(row: Sequence[str], widths: Sequence[int], left: Collection[int]) -> Iterator[str]:
    for place, (text, width) in enumerate(zip(row, widths, strict=True)):
        yield fitted(text, width, place in left)


def columns(text: str) -> int:
    """How many columns a terminal needs for a text: two for a wide character, none for a mark upon another."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def fitted(text: str, width: int, left: bool = True) -> str:
    """Text of exactly so many columns, cut or filled with spaces."""
    if columns(text) > width:
        text = text[:width]
        while columns(text) > max(0, width - 3):
            text = text[:-1]
        text += "..."[:width]
    room = " " * (width - columns(text))
    return f"{text}{room}" if left else f"{room}{text}"
