"""A Record in, its chart as one SVG picture out: for a README, a slide or a message. It follows a reader's light or dark mode."""

from __future__ import annotations

from harness.reporting.explain import INTERVAL
from harness.reporting.html.chart import accuracies
from harness.reporting.html.headline import headline
from harness.reporting.html.template import html_page
from harness.reporting.rows import Record

MOST_ROWS = 30
"""With more, categories are left out."""


def render(record: Record) -> str:
    """The picture."""
    chart = accuracies(record.gates)
    rows = [row for group in chart.groups for row in group]
    if len(rows) > MOST_ROWS:
        rows = [row for row in rows if row.level != "category"]
    return html_page(
        "picture.svg",
        headline=headline(record),
        rows=rows,
        shares=chart.shares,
        changes=chart.changes,
        interval=INTERVAL,
    )
