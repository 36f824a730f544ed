"""Rows of cells in, the lines of a table out: for a terminal, or as Markdown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from harness.visible import visible


def aligned(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> Iterator[str]:
    """Columns two spaces apart, those in `left` flush left, the others flush right; the heading is the first row."""
    shown = [[visible(text) for text in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        yield "  ".join(_justified(row, widths, left)).rstrip()


def markdown(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> Iterator[str]:
    """A Markdown table with its first row as heading; its source is aligned too."""
    widths = [max(3, *(len(row[column]) for row in rows)) for column in range(len(rows[0]))]
    rule = ["-" * width if i in left else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    for row in [rows[0], rule, *rows[1:]]:
        yield f"| {' | '.join(_justified(row, widths, left))} |"


def _justified(row: Sequence[str], widths: Sequence[int], left: Collection[int]) -> Iterator[str]:
    for column, (text, width) in enumerate(zip(row, widths, strict=True)):
        yield text.ljust(width) if column in left else text.rjust(width)
