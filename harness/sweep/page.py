"""A ladder's record in, one self-contained HTML page out. Names and answers are untrusted: the template escapes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.reporting.explain import INTERVAL
from harness.reporting.figures import inline
from harness.sweep.recommendation import recommend
from harness.sweep.record import RecipeRow, SweepRecord
from harness.sweep.text import (
    BASES,
    NOTE,
    SEEDS_NOTE,
    asked,
    columns_of_words,
    state,
    suites_table,
    table,
)
from harness.visible import visible_lines
from harness.wording import one_line

TEMPLATES = Path(__file__).parent / "templates"

MOST_SHOWN = 5
"""Lost probes that are shown of each recipe; the record has them all."""

LONGEST = 300


@dataclass(frozen=True)
class _Row:
    cells: tuple[str, ...]
    verdict: str
    first: bool


@dataclass(frozen=True)
class _Probe:
    suite: str
    id: str
    shown: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Lost:
    """What a recipe lost; `seed` is None where it was trained under one only."""

    name: str
    of: int
    seed: int | None
    probes: tuple[_Probe, ...]


def sweep_page(record: SweepRecord, plot: str | None) -> str:
    """The page.

    Args:
        plot: the Pareto plot as an SVG document of our own making, which goes in as it is; None if there is none.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        finalize=_visible,
    )
    rows = table(record)
    several = any(len(rung.seeds) > 1 for rung in record.rungs)
    return environment.get_template(
        "ladder.html"
    ).render(
        run=record.run,
        command=" ".join(record.run.command),
        recommendation=recommend(record),
        bases=BASES,
        state=list(state(record)),
        target=asked(record.target),
        suites=[asked(suite) for suite in record.suites],
        # Drawn here, and its text escaped.
        interval=INTERVAL,
        plot=None if plot is None else Markup(inline(plot)),  # nosec B704
        heading=rows[0],
        words=columns_of_words(rows),
        rows=list(_rows(record, rows[1:])),
        note=f"{NOTE} {SEEDS_NOTE}" if several else NOTE,
        by_suite=suites_table(record) if len(record.suites) > 1 else None,
        lost=[lost for rung in record.rungs if rung.measured and (lost := _lost(record, rung)).of],
        most=MOST_SHOWN,
        advised=list(
            dict.fromkeys(note for rung in record.rungs for seed in rung.seeds for note in seed.notes)
        ),
    )


def _visible(value: object) -> object:
    """What goes into the page, but for our own SVG."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return "\n".join(visible_lines(value))
    return value


def _rows(record: SweepRecord, rows: list[tuple[str, ...]]) -> Iterator[_Row]:
    for rung, cells in zip(record.rungs, rows, strict=True):
        yield _Row(cells, rung.measured.verdict if rung.measured else "failed", rung.rank == 1)


def _lost(record: SweepRecord, rung: RecipeRow) -> _Lost:
    """What the recipe's first seed lost."""
    seed = rung.seeds[0]
    probes = []
    for suite in record.suites:
        for probe, tuned in zip(suite.probes, seed.suites[suite.name], strict=True):
            if probe.baseline.right and not tuned.right:
                shown = [(name, one_line(text, LONGEST)) for name, text in probe.fields.items()]
                if probe.expected:
                    shown.append(("expected", " or ".join(one_line(text) for text in probe.expected[:4])))
                shown.append(("baseline", one_line(probe.baseline.answer, LONGEST)))
                shown.append(("tuned", one_line(tuned.answer, LONGEST)))
                probes.append(_Probe(suite.name, probe.id, tuple(shown)))
    return _Lost(
        rung.name, len(probes), seed.seed if len(rung.seeds) > 1 else None, tuple(probes[:MOST_SHOWN])
    )
