"""A ladder's record in; its table, and what follows from it, as lines for a terminal or a Markdown page out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from harness.reporting.explain import INTERVAL
from harness.sweep.recommendation import Advice, recommend
from harness.sweep.record import MeasuredRow, RecipeRow, SuiteRow, SweepRecord
from harness.tables import aligned, markdown
from harness.visible import visible_lines
from harness.wording import between, count, percent, tenths

WIDTH = 110

BASES = {
    "measured": "measured",
    "together": "measured together",
    "there": "there already",
    "published": "published, not measured here",
    "failed": "failed",
}
"""How sure one can be of an advice, in words."""

NOTE = (
    "Gain: tuned minus baseline accuracy on the target suite; drop: baseline minus tuned accuracy over all general "
    f"probes; in points, with {INTERVAL}s (Tango 1998)."
)

SEEDS_NOTE = (
    "Over several seeds, lost and gained probes are averaged and the interval is that of one run: the same probes "
    "asked again are no new sample of probes. This is conservative."
)


COLUMNS = ("rank", "recipe", "gain", INTERVAL, "drop", INTERVAL, "by seed", "verdict", "training", "")


def cells(record: SweepRecord, rung: RecipeRow) -> tuple[str, ...]:
    """One row of the table, as text."""
    place = "-" if rung.rank is None else str(rung.rank)
    if rung.measured is None:
        return (place, rung.name, *("-",) * 5, "-", seconds(rung), "failed" if rung.error else "not finished")
    measured = rung.measured
    return (
        place,
        rung.name,
        tenths(measured.gain),
        between(measured.gain_interval),
        tenths(measured.drop),
        between(measured.drop_interval),
        spread(rung, measured),
        measured.verdict,
        seconds(rung),
        ", ".join(remarks(record, rung)),
    )


def remarks(record: SweepRecord, rung: RecipeRow) -> Iterator[str]:
    """What else there is to say of a rung in a word or two."""
    if rung.front:
        yield "Pareto front"
    if record.unranked is None and rung.measured is not None and rung.rank is None:
        yield "learnt less"
    if rung.name == record.reference:
        yield "reference"


def spread(rung: RecipeRow, measured: MeasuredRow) -> str:
    """The smallest and the largest drop among the seeds; "-" where there is but one."""
    if len(rung.seeds) < 2:
        return "-"
    return between((measured.general.smallest_drop, measured.general.largest_drop))


def seconds(rung: RecipeRow) -> str:
    """How long the training took, in the mean; "-" where it is not known."""
    return "-" if rung.seconds_training is None else f"{rung.seconds_training:.0f} s"


def table(record: SweepRecord) -> list[tuple[str, ...]]:
    """The heading and a row a rung, without columns that say nothing."""
    rows = [COLUMNS, *(cells(record, rung) for rung in record.rungs)]
    kept = [
        column
        for column in range(len(rows[0]))
        if column not in (0, 6, 8) or any(row[column] != "-" for row in rows[1:])
    ]
    return [tuple(row[column] for column in kept) for row in rows]


def columns_of_words(rows: Sequence[tuple[str, ...]]) -> list[int]:
    """The columns of a table that hold words rather than numbers."""
    return [column for column, name in enumerate(rows[0]) if name in ("recipe", "verdict", "")]


def suites_table(record: SweepRecord) -> list[tuple[str, ...]]:
    """The drop of each rung on each general suite, in points."""
    names = [suite.name for suite in record.suites]
    rows = [("drop on", *names)]
    for rung in record.rungs:
        if rung.measured:
            rows.append((rung.name, *(tenths(rung.measured.by_suite[name].drop) for name in names)))
    return rows


def asked(suite: SuiteRow) -> str:
    """ "drug-info, 40 of 160 probes, baseline 12.5 % right"."""
    right = percent(sum(suite.baseline) / len(suite.probes))
    n = len(suite.probes)
    probes = count(n, "probe") if n == suite.of else f"{n:,} of {count(suite.of, 'probe')}"
    return f"{suite.name}, {probes}, baseline {right} right"


def state(record: SweepRecord) -> Iterator[str]:
    """What a reader must know before the numbers: what is missing, failed or noted."""
    if record.missing:
        done, planned = len(record.planned) - len(record.missing), len(record.planned)
        yield f"not finished: {done} of {count(planned, 'recipe')} tried, without {', '.join(record.missing)}"
    for rung in record.rungs:
        if rung.error:
            yield f"failed: {rung.name}: {rung.error}"
    yield from (f"note: {note}" for note in record.run.notes)


def terminal_lines(record: SweepRecord) -> Iterator[str]:
    """The ladder as a terminal shows it."""
    for text in _terminal(record):
        yield from visible_lines(text)


def _terminal(record: SweepRecord) -> Iterator[str]:
    yield f"base     {record.run.base}, on {record.run.device} in {record.run.dtype}"
    yield f"target   {asked(record.target)}"
    for place, suite in enumerate(record.suites):
        yield f"{'general' if place == 0 else '':<9}{asked(suite)}"
    yield from state(record)
    yield ""
    rows = table(record)
    yield from aligned(rows, columns_of_words(rows))
    if len(record.suites) > 1 and any(rung.measured for rung in record.rungs):
        yield ""
        yield from aligned(suites_table(record))
    yield ""
    recommendation = recommend(record)
    for text in (recommendation.opening, *(_line(one) for one in recommendation.advice)):
        yield from textwrap.wrap(text, WIDTH, subsequent_indent="    ", break_on_hyphens=False)
    yield ""
    yield from textwrap.wrap(recommendation.conclusion, WIDTH, break_on_hyphens=False)


def _line(advice: Advice) -> str:
    return f"  {advice.title} ({BASES[advice.basis]}): {advice.text}"


def markdown_page(record: SweepRecord, plot: str | None) -> str:
    """The ladder as a Markdown page.

    Args:
        plot: the file name of the Pareto plot, beside the page; None if there is none.
    """
    return "\n".join(_markdown(record, plot)) + "\n"


def _markdown(record: SweepRecord, plot: str | None) -> Iterator[str]:
    recommendation = recommend(record)
    yield from ("# Which recipe forgets least", "", f"**{escaped(recommendation.conclusion)}**", "")
    yield f"- base: {escaped(f'{record.run.base}, on {record.run.device} in {record.run.dtype}')}"
    yield f"- target: {escaped(asked(record.target))}"
    yield from (f"- general: {escaped(asked(suite))}" for suite in record.suites)
    yield from (f"- {escaped(' '.join(visible_lines(text)))}" for text in state(record))
    yield ""
    if plot:
        yield from (f"![Gain on the target task against the drop on general suites]({plot})", "")
    rows = table(record)
    yield from markdown([tuple(map(escaped, row)) for row in rows], columns_of_words(rows))
    yield from ("", NOTE, "")
    if any(len(rung.seeds) > 1 for rung in record.rungs):
        yield from (SEEDS_NOTE, "")
    if len(record.suites) > 1 and any(rung.measured for rung in record.rungs):
        yield from markdown([tuple(map(escaped, row)) for row in suites_table(record)])
        yield ""
    yield from ("## Mitigations", "", escaped(recommendation.opening), "")
    for one in recommendation.advice:
        yield f"- **{escaped(one.title)}** ({BASES[one.basis]}): {escaped(one.text)}"


_ESCAPES = str.maketrans(
    {**{mark: f"\\{mark}" for mark in "\\`*_[]|#~$"}, "&": "&amp;", "<": "&lt;", ">": "&gt;"}
)


def escaped(text: str) -> str:
    """Text from elsewhere on one line, with nothing that Markdown, or HTML in it, would obey."""
    return " ".join(visible_lines(text)).translate(_ESCAPES)
