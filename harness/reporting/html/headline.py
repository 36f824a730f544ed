"""A Record in, the verdict on the whole run in words out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.reporting.accepted import accepted_sentences
from harness.reporting.changes import CHANGES, Change, changes_of
from harness.reporting.equal import equal_lines
from harness.reporting.explain import INTERVAL
from harness.reporting.gate_table import Standing, run_standing, verdict
from harness.reporting.in_short import (
    after_a_loss,
    cases_told,
    effect,
    flips_gate,
    flips_of_texts,
    gates_sentence,
    models,
    title,
)
from harness.reporting.rows import Record
from harness.spelling import on_command_line
from harness.wording import between, percent, points


@dataclass(frozen=True)
class Share:
    """How many probes changed so, and where their part of a bar begins and how wide it is, in percent."""

    change: Change
    number: int
    meaning: str
    start: float
    width: float


@dataclass(frozen=True)
class Headline:
    """The verdict on a run, and the sentences that go with it."""

    standing: Standing
    date: str
    title: str
    models: str
    effect: str
    sentences: Sequence[str]
    shares: Sequence[Share]


def headline(record: Record) -> Headline:
    """The verdict first, then what it rests on."""
    run = record.run
    return Headline(
        standing=run_standing(run.status),
        date=run.started.replace("T", " ").replace("+00:00", " UTC"),
        title=title(record),
        models=models(record),
        effect=effect(record),
        sentences=list(_sentences(record)),
        shares=_shares(record),
    )


def _sentences(record: Record) -> Iterator[str]:
    if sentence := gates_sentence(record):
        yield sentence
    yield from _flips(record)
    if told := cases_told(record):
        yield f"{told}."
    yield from map(on_command_line, accepted_sentences(record))
    differing = (on_command_line(text).strip() for text in equal_lines(record))
    yield from (f"{text[:1].upper()}{text[1:]}." for text in (*record.run.observed, *differing))
    yield from after_a_loss(record)


def _flips(record: Record) -> Iterator[str]:
    """The share of answers that flip, which no chart of drops has; nothing if no gate is over it."""
    row = flips_gate(record)
    if row and row.flips is not None and row.flips_interval and row.max_flips is not None:
        given = f"{INTERVAL} {between(row.flips_interval)} %; margin {points(row.max_flips)} %"
        yield f"{percent(row.flips)} of the probes flip ({given}): {verdict(row)}."
    if told := flips_of_texts(record):
        yield told


def _shares(record: Record) -> list[Share]:
    """The parts of all probes, as they lie side by side in one bar."""
    numbers = changes_of(record.probes)
    total, start, found = numbers.total() or 1, 0.0, []
    for change, meaning in CHANGES.items():
        width = 100 * numbers[change] / total
        found.append(Share(change, numbers[change], meaning, round(start, 3), round(width, 3)))
        start += width
    return found
