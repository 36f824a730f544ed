"""The record of a sweep in, one self-contained HTML page out. Names and answers are untrusted: the template escapes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from harness.reporting.explain import INTERVAL
from harness.reporting.figures import inline
from harness.reporting.html.template import html_page
from harness.sweep.recommendation import recommend
from harness.sweep.record import RecipeRow, SweepRecord
from harness.sweep.results import pooled
from harness.sweep.text import (
    BASES,
    asked,
    columns_of_words,
    notes,
    state,
    suites_table,
    table,
)
from harness.wording import one_line

TEMPLATES = Path(__file__).parent / "templates"

MOST_SHOWN = 5
"""How many lost probes of each recipe are shown; the record has them all."""

LONGEST = 300


@dataclass(frozen=True)
class _Probe:
    suite: str
    id: str
    shown: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Lost:
    """The probes that a recipe lost; `seed` is None if it was trained under one only."""

    name: str
    of: int
    seed: int | None
    probes: tuple[_Probe, ...]


def sweep_page(record: SweepRecord, plot: str | None) -> str:
    """The page.

    Args:
        plot: the Pareto plot as an SVG document of our own making, which goes in as it is; None if there is none.
    """
    rows = table(record)
    return html_page(
        "ladder.html",
        [TEMPLATES],
        run=record.run,
        command=" ".join(record.run.command),
        recommendation=recommend(record),
        bases=BASES,
        state=list(state(record)),
        target=asked(record.target),
        suites=[asked(suite) for suite in record.suites],
        interval=INTERVAL,
        # Drawn here, and its text escaped.
        plot=None if plot is None else Markup(inline(plot)),  # nosec B704
        heading=rows[0],
        words=columns_of_words(rows),
        rows=list(zip(record.rungs, rows[1:], strict=True)),
        note=" ".join(notes(record)),
        by_suite=suites_table(record),
        lost=[lost for row, _ in record.measured if (lost := _lost(record, row)).of],
        most=MOST_SHOWN,
        advised=list(
            dict.fromkeys(note for row in record.rungs for seed in row.seeds for note in seed.notes)
        ),
    )


def _lost(record: SweepRecord, row: RecipeRow) -> _Lost:
    """The probes that the recipe lost under its first seed."""
    seed = row.seeds[0]
    probes = []
    for suite in pooled(record.suites):
        for probe, tuned in zip(suite.probes, seed.suites[suite.name], strict=True):
            if probe.baseline.right and not tuned.right:
                shown = [(name, one_line(text, LONGEST)) for name, text in probe.fields.items()]
                if probe.expected:
                    shown.append(("expected", " or ".join(one_line(text) for text in probe.expected[:4])))
                shown.append(("baseline", one_line(probe.baseline.answer, LONGEST)))
                shown.append(("tuned", one_line(tuned.answer, LONGEST)))
                probes.append(_Probe(suite.name, probe.id, tuple(shown)))
    several = len(row.seeds) > 1
    return _Lost(row.name, len(probes), seed.seed if several else None, tuple(probes[:MOST_SHOWN]))
