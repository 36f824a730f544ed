"""The record of `blame` in, one self-contained HTML page out. Names and examples are untrusted: the template escapes them."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from harness.blame.record import BlameRecord
from harness.blame.text import (
    APART_NOTE,
    AXES,
    EXAMPLES_NOTE,
    NOTE,
    apart,
    conclusion,
    ends,
    facts,
    state,
    table,
)
from harness.reporting.figures import inline
from harness.reporting.html.template import html_page
from harness.wording import one_line

TEMPLATES = Path(__file__).parent / "templates"

LONGEST = 300


def blame_page(record: BlameRecord, plot: str) -> str:
    """The page.

    Args:
        plot: the picture as an SVG document of our own making, which goes in as it is.
    """
    return html_page(
        "blame.html",
        [TEMPLATES],
        run=record.run,
        command=" ".join(record.run.command),
        conclusion=conclusion(record),
        facts=[line.split(None, 1) for line in facts(record)],
        state=list(state(record)),
        apart=apart(record),
        apart_note=APART_NOTE,
        plot=Markup(inline(plot)),  # nosec B704
        tables=[(heading, table(rows)) for axis, heading in AXES.items() if (rows := record.of_axis(axis))],
        note=NOTE,
        examples=_examples(record),
        examples_note=EXAMPLES_NOTE,
    )


def _examples(record: BlameRecord) -> list[tuple[str, list[tuple[str, ...]]]]:
    """The two ends of the examples, each row as text."""
    return [
        (
            heading,
            [
                (
                    f"{row.push:+.3f}",
                    str(row.number),
                    one_line(row.prompt, LONGEST),
                    one_line(row.answer, LONGEST),
                )
                for row in rows
            ],
        )
        for heading, rows in ends(record)
    ]
