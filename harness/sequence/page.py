"""The record of a sequence in, one self-contained HTML page out. Names are untrusted: the template escapes them."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from harness.reporting.figures import inline
from harness.reporting.html.template import html_page
from harness.sequence.record import SequenceRecord
from harness.sequence.text import NOTE, conclusion, facts, measures_table, state, table

TEMPLATES = Path(__file__).parent / "templates"


def sequence_page(record: SequenceRecord, plot: str) -> str:
    """The page.

    Args:
        plot: the heat map as an SVG document of our own making, which goes in as it is.
    """
    return html_page(
        "sequence.html",
        [TEMPLATES],
        run=record.run,
        command=" ".join(record.run.command),
        conclusion=conclusion(record),
        facts=list(facts(record)),
        state=list(state(record)),
        plot=Markup(inline(plot)),  # nosec B704
        matrix=table(record),
        measures=measures_table(record) if record.measures else [],
        note=NOTE,
    )
