"""A table of results, as text and as Markdown."""

from __future__ import annotations

from dataclasses import dataclass

from harness.tables import aligned, markdown


@dataclass(frozen=True)
class Table:
    """Rows of cells under a heading, with a title and a sentence that explains them."""

    title: str
    text: str
    heading: list[str]
    rows: list[list[str]]
    left: tuple[int, ...] = (0,)

    def plain(self) -> str:
        """For a terminal."""
        return "\n".join(
            [self.title, *filter(None, [self.text]), *aligned([self.heading, *self.rows], self.left)]
        )

    def markdown(self) -> str:
        """A section of a page."""
        table = "\n".join(markdown([self.heading, *self.rows], self.left))
        return "\n\n".join([f"## {self.title}", *filter(None, [self.text]), table])


def percent(fraction: float) -> str:
    """In percent, to one digit."""
    return f"{100 * fraction:.1f}"
