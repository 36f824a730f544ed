"""Untrusted text in, Markdown for GitHub out that shows it as it is: no link, no mention, no HTML, no end of a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from harness.visible import visible, visible_lines
from harness.wording import cut

MARKER = "<!-- forgetting-gate -->"
"""The first line of a report in Markdown, by which a comment that is to be updated is found."""

MOST_LINES = 12
"""Lines of a text in a block; the last ones are left out."""

_BACKTICKS = re.compile("`+")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_PUNCTUATION_BUT_ENTITIES = re.compile(r"[!-%'-/:<-@\[-`{-~]")
_REFERENCE = re.compile(r"(?<=[@#])(?=\S)|(?<=\bGH)(?=-\d)|(?<=[0-9a-fA-F]{6})(?=[0-9a-fA-F])")
_APART = "\u200b"


def code(text: str, most: int = 80) -> str:
    """Text as a code span on one line, which may stand in a table."""
    shown = cut(visible(text[: 8 * most]), most).replace("|", "¦").strip()
    if not shown:
        return ""
    fence = "`" * (1 + _longest_run(shown))
    room = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{room}{shown}{room}{fence}"


def prose(text: str, most: int = 300) -> str:
    """Text on one line within a sentence, without any markup; what GitHub would link is set apart by a space without width."""
    shown = _REFERENCE.sub(_APART, cut(visible(text[: 8 * most]), most))
    return _PUNCTUATION.sub(r"\\\1", shown)


def in_html(text: str, most: int = 80) -> str:
    """Text as code within HTML, where GitHub links nothing; no letter of it is read as Markdown."""
    shown = escape(cut(visible(text[: 8 * most]), most))
    return f"<code>{_PUNCTUATION_BUT_ENTITIES.sub(lambda found: f'&#{ord(found[0])};', shown)}</code>"


def block(text: str, most: int = 600) -> list[str]:
    """The lines of a fenced block with the beginning of a text."""
    lines = visible_lines(text[:most])
    left_out = len(text) - most
    if len(lines) > MOST_LINES:
        left_out = len(text) - len("\n".join(text[:most].split("\n")[:MOST_LINES]))
        lines = lines[:MOST_LINES]
    shown = [cut(line, 2 * most) for line in lines]
    fence = "`" * max(3, 1 + max(map(_longest_run, shown)))
    more = [f"({left_out:,} more characters)"] if left_out > 0 else []
    return [f"{fence}text", *shown, fence, *more]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table of cells that are safe already, the first column flush left; its heading is the first row."""
    rule = ["---", *["--:"] * (len(rows[0]) - 1)]
    return [f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]]]


def _longest_run(text: str) -> int:
    return max(map(len, _BACKTICKS.findall(text)), default=0)
