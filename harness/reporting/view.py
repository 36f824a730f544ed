"""Lines of text with a style for each part, and the terminal that they are made for: its width, height and letters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from harness.tables import columns
from harness.visible import visible

Style = Literal["plain", "strong", "good", "bad", "open", "quiet"]
"""What a part says, which a terminal may show as a colour."""


class Piece(NamedTuple):
    """A part of a line."""

    text: str
    style: Style = "plain"


Line = tuple[Piece, ...]


@dataclass(frozen=True)
class View:
    """A terminal: its size in characters, whether it has more letters than ASCII, and how much is wanted.

    Attributes:
        height: the lines that fit; None for no limit.
        verbosity: as pytest's: below 0 for less, above 0 for all.
    """

    width: int = 100
    height: int | None = None
    unicode: bool = True
    verbosity: int = 0

    @property
    def lines(self) -> int | None:
        """The most lines to show; None for all."""
        return None if self.verbosity > 0 else self.height

    @property
    def separator(self) -> str:
        """Between a suite and its slice."""
        return " · " if self.unicode else " / "


COLOURS: dict[Style, dict[str, bool]] = {
    "plain": {}, "strong": {"bold": True}, "good": {"green": True}, "bad": {"red": True}, "open": {"yellow": True},
    "quiet": {"light": True},
}  # fmt: skip
"""The markup of pytest's terminal writer for each style."""


def line(text: str, style: Style = "plain") -> Line:
    """A line of one piece, safe for a terminal."""
    return (Piece(visible(text), style),)


def plain(lines: Iterable[Line]) -> str:
    """The text of lines."""
    return "\n".join("".join(piece.text for piece in parts).rstrip() for parts in lines)


def can_show(encoding: str | None, text: str) -> bool:
    """Whether an encoding has all characters of a text."""
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def heights(lines: Sequence[Line], width: int) -> int:
    """How many lines of a terminal these take, where long ones wrap."""
    return sum(max(1, -(-sum(columns(piece.text) for piece in parts) // max(1, width))) for parts in lines)
