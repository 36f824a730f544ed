"""The record of a sweep in; its table and recommendation as lines for a terminal or a Markdown page out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from harness.reporting.explain import INTERVAL
from harness.sweep.recommendation import Advice, recommend
from harness.sweep.record import RecipeRow, SuiteRow, SweepRecord
from harness.sweep.results import pooled
from harness.tables import aligned, markdown
from harness.visible import visible_lines
from harness.wording import between, count, percent, points, tenths

WIDTH = 110

BASES = {
    "measured": "measured",
    "together": "measured together",
    "there": "there already",
    "published": "published, not measured here",
    "failed": "failed",
}
"""The basis of an advice, in words."""

NOTE = (
    "Gain: tuned minus baseline accuracy on the target suite; drop: baseline minus tuned accuracy over all general "
    f"probes; in points, with {INTERVAL}s (Tango 1998), each suite a stratum, wider where probes of one template or passage go "
    "together."
)

TEXTS_NOTE = (
    "Texts are neither right nor wrong, so they have no part in drops, verdicts and ranks; their rise is that of the mean bits "
    "per byte."
)

LEARNING_NOTE = (
    "Rank: 'less' marks a recipe that learnt less than {enough} % of the best, shown by the same target probes of both and "
    "allowing for the choice of the best among {recipes}; '?' one of which that cannot be told."
)

RANKING_NOTE = (
    "Recipes are ranked by their drop on one half of the general probes ('rank by'), drawn by suite and category. The "
    "least of several drops is flattering, so the verdict on the first and the drop in the recommendation come from the "
    "other half."
)

SEEDS_NOTE = (
    "Over several seeds, lost and gained probes are averaged, and the intervals allow for other probes and for other "
    "seeds (the variance between the seeds' drops, with Student's quantile by Satterthwaite)."
)

GATE_NOTE = "Gate: what `pytest` says of the trained model over these general probes, by the gates that their suites have."

ONE_SEED_NOTE = (
    "Trained under one seed: the intervals allow for other probes, and say nothing about the next seed."
)

COLUMNS = (
    "rank", "recipe", "gain", INTERVAL, "rank by", "drop", INTERVAL, "by seed", "verdict", "gate", "training", "",
)  # fmt: skip

OPTIONAL = ("rank", "rank by", "by seed", "gate", "training")
"""The columns that are left out where no recipe has a value."""


def notes(record: SweepRecord) -> list[str]:
    """How to read the numbers, a paragraph each."""
    found = [NOTE]
    if record.unranked is None and len(record.measured) > 1:
        recipes = count(len(record.measured), "recipe")
        found.append(LEARNING_NOTE.format(enough=points(record.matched), recipes=recipes))
    if record.held_out is not None:
        found.append(RANKING_NOTE)
    if any(suite.is_of_texts for suite in record.suites):
        found.append(TEXTS_NOTE)
    if any(seed.gates for row in record.rungs for seed in row.seeds):
        found.append(GATE_NOTE)
    return [*found, SEEDS_NOTE if record.has_several_seeds else ONE_SEED_NOTE]


def cells(record: SweepRecord, row: RecipeRow) -> tuple[str, ...]:
    """One row of the table, as text."""
    seconds = "-" if row.seconds_training is None else f"{row.seconds_training:.0f} s"
    if row.measured is None:
        return ("-", row.name, *("-",) * 8, seconds, "failed" if row.error else "not finished")
    measured, general = row.measured, row.measured.general
    several = len(row.seeds) > 1
    return (
        _place(row),
        row.name,
        tenths(measured.gain),
        between(measured.gain_interval),
        tenths(row.ranking_drop) if record.held_out and row.ranking_drop is not None else "-",
        tenths(measured.drop),
        between(measured.drop_interval),
        between((general.smallest_drop, general.largest_drop)) if several else "-",
        record.verdict(row) or "-",
        _gate(row),
        seconds,
        ", ".join(remarks(record, row)),
    )


def _gate(row: RecipeRow) -> str:
    """ "passes"; "fails"; "fails 2 of 3", "passes 2 of 3" of several seeds; "-" if it is undecided under each."""
    ended = [seed.passes for seed in row.seeds]
    word, number = ("fails", ended.count(False)) if False in ended else ("passes", ended.count(True))
    if not number:
        return "-"
    alike = number == len(ended) and (word == "passes" or number == 1)
    return word if alike else f"{word} {number} of {len(ended)}"


def _place(row: RecipeRow) -> str:
    """ "1"; "2?" for a recipe that may have learnt less; "less" for one that has; "-" without a ranking."""
    if row.rank is None:
        return "less" if row.learning == "less" else "-"
    return f"{row.rank}{'?' if row.learning == 'cannot be told' else ''}"


def remarks(record: SweepRecord, row: RecipeRow) -> Iterator[str]:
    """Remarks on a measured recipe, in a word or two each."""
    if row.front:
        yield "Pareto front"
    if row.learning == "less":
        yield "learnt less"
    if row.learning == "cannot be told":
        yield "learnt less?"
    if row.name == record.reference:
        yield "reference"


def table(record: SweepRecord) -> list[tuple[str, ...]]:
    """The heading and a row a recipe, without the OPTIONAL columns that are empty."""
    rows = [COLUMNS, *(cells(record, row) for row in record.rungs)]
    kept = [
        column
        for column in range(len(COLUMNS))
        if COLUMNS[column] not in OPTIONAL or any(row[column] != "-" for row in rows[1:])
    ]
    return [tuple(row[column] for column in kept) for row in rows]


def columns_of_words(rows: Sequence[tuple[str, ...]]) -> list[int]:
    """The columns of a table that hold words rather than numbers."""
    return [column for column, name in enumerate(rows[0]) if name in ("recipe", "verdict", "gate", "")]


def suites_table(record: SweepRecord) -> list[tuple[str, ...]]:
    """How each recipe fared on each general suite: drops in points, then rises of texts.

    Empty if there is but one suite, or no measurement.
    """
    names = [suite.name for suite in pooled(record.suites)]
    texts = [suite.name for suite in record.suites if suite.is_of_texts]
    rows = [
        (
            row.name,
            *(tenths(measured.by_suite[name].drop) for name in names),
            *(f"{100 * measured.rises[name]:+z.1f} %" for name in texts),
        )
        for row, measured in record.measured
    ]
    heading = ("drop on", *names, *(f"rise of {name}" for name in texts))
    return [heading, *rows] if rows and len(record.suites) > 1 else []


def asked(suite: SuiteRow) -> str:
    """ "drug-info, 40 of 160 probes, baseline 12.5 % right"."""
    n, kind = len(suite.probes), "text" if suite.is_of_texts else "probe"
    probes = count(n, kind) if n == suite.of else f"{n:,} of {count(suite.of, kind)}"
    right = "" if suite.is_of_texts else f", baseline {percent(sum(suite.baseline) / n)} right"
    return f"{suite.name}, {probes}{right}"


def state(record: SweepRecord) -> Iterator[str]:
    """What a reader must know before the numbers: missing and failed recipes, and notes."""
    if record.missing:
        done, planned = len(record.planned) - len(record.missing), len(record.planned)
        yield f"not finished: {done} of {count(planned, 'recipe')} tried, without {', '.join(record.missing)}"
    yield from (f"failed: {row.name}: {row.error}" for row in record.rungs if row.error)
    yield from (f"note: {note}" for note in record.run.notes)


def terminal_lines(record: SweepRecord) -> Iterator[str]:
    """The sweep for a terminal."""
    for text in _terminal(record):
        yield from visible_lines(text)


def _terminal(record: SweepRecord) -> Iterator[str]:
    yield from opening(record)
    if by_suite := suites_table(record):
        yield ""
        yield from aligned(by_suite)
    yield ""
    recommendation = recommend(record)
    for text in (*recommendation.opening.splitlines(), *map(_line, recommendation.advice)):
        yield from textwrap.wrap(text, WIDTH, subsequent_indent="    ", break_on_hyphens=False)
    yield ""
    yield from textwrap.wrap(recommendation.conclusion, WIDTH, break_on_hyphens=False)


def opening(record: SweepRecord) -> Iterator[str]:
    """What was asked of which base, what a reader must know, and the table."""
    yield f"base     {record.run.base}, on {record.run.device} in {record.run.dtype}"
    yield f"target   {asked(record.target)}"
    for place, suite in enumerate(record.suites):
        yield f"{'general' if place == 0 else '':<9}{asked(suite)}"
    yield from state(record)
    yield ""
    rows = table(record)
    yield from aligned(rows, columns_of_words(rows))


def _line(advice: Advice) -> str:
    return f"  {advice.title} ({BASES[advice.basis]}): {advice.text}"


def markdown_page(record: SweepRecord, plot: str | None) -> str:
    """The sweep as a Markdown page.

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
    yield ""
    for note in notes(record):
        yield from (note, "")
    if by_suite := suites_table(record):
        yield from markdown([tuple(map(escaped, row)) for row in by_suite])
        yield ""
    yield from ("## Mitigations", "", escaped(recommendation.opening), "")
    for advice in recommendation.advice:
        yield f"- **{escaped(advice.title)}** ({BASES[advice.basis]}): {escaped(advice.text)}"


_ESCAPES = str.maketrans(
    {**{mark: f"\\{mark}" for mark in "\\`*_[]|#~$"}, "&": "&amp;", "<": "&lt;", ">": "&gt;"}
)


def escaped(text: str) -> str:
    """Text from elsewhere on one line, with nothing that Markdown, or HTML in it, would obey."""
    return " ".join(visible_lines(text)).translate(_ESCAPES)
