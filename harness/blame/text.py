"""The record of `blame` in; its table, sentences and examples as lines for a terminal out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from harness.blame.groups import Axis
from harness.blame.record import ApartRow, BlameRecord, EffectRow, ExampleRow, GroupRow
from harness.blame.search import Way
from harness.reporting.explain import INTERVAL
from harness.spelling import on_command_line, option
from harness.sweep.text import WIDTH
from harness.tables import aligned
from harness.visible import visible_lines
from harness.wording import between, count, one_line, percent, points, some, tenths

SHOWN = 10
"""Examples shown of each end; the record has them all."""

MOST_APART = 4
"""Sentences shown on what does not add up; the page has them all."""

MOST = 0.5
"""A group that carries this share of the whole loss carries most of it."""

COLUMNS = ("switched together", "parts", "comes back without", INTERVAL, "lost with it alone", INTERVAL)

AXES: Mapping[Axis, str] = {"layers": "by layer", "modules": "by kind of module, in all layers"}

NOTE = (
    "In points of what the baseline knew, by probes that the tuned model lost and a sample of those it kept, weighed by their "
    f"numbers; {INTERVAL}s (Zou, Huang and Zhang 2009) are for other probes. 'Comes back' is less what is lost only then. "
    "The probes were lost by this model, so that a part of what comes back may be chance."
)

APART_NOTE = (
    "Effects of two halves need not add up to that of both. More comes back together where either is enough to lose a probe, and "
    "less where it takes both; more is lost together where it takes both, and less where either is enough."
)

EXAMPLES_NOTE = (
    "Push: minus the mean cosine between the gradient of an example's loss and that of the lost probes' right answers, on the way "
    "from the baseline to the tuned model; over 0, a step on the example unlearns the probes, and under 0 it teaches them (TracIn, "
    "LESS). A hint, to first order: train again without the first ones to be sure."
)


def terminal_lines(record: BlameRecord) -> Iterator[str]:
    """The record for a terminal."""
    for text in _terminal(record):
        yield from visible_lines(text)


def _terminal(record: BlameRecord) -> Iterator[str]:
    yield from facts(record)
    for axis, heading in AXES.items():
        if rows := record.of_axis(axis):
            yield from ("", heading, *aligned(table(rows)))
    yield ""
    odd = apart(record)
    more = [f"and {len(odd) - MOST_APART} more on the page"] if len(odd) > MOST_APART else []
    opening = ["does not add up, in points:"] if odd else []
    bullets = (f"- {sentence}" for sentence in odd[:MOST_APART])
    for text in (*opening, *bullets, *more, *state(record), conclusion(record)):
        yield from textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    for heading, examples in ends(record):
        yield from ("", heading)
        for row in examples:
            said = f"{one_line(row.prompt, 40)} -> {one_line(row.answer, 50)}"
            yield f"  {row.push:+.3f}  example {row.number:<5} {said}"


def facts(record: BlameRecord) -> Iterator[str]:
    """What was compared, and how much was lost."""
    lost, kept = (sum(getattr(suite, name) for suite in record.suites) for name in ("lost", "kept"))
    yield f"tuned    {record.run.tuned}, on {record.run.device} in {record.run.dtype}"
    yield f"baseline {record.run.baseline}"
    yield f"suites   {some([suite.name for suite in record.suites], 8)}"
    yield (
        f"lost     {lost:,} of {count(lost + kept, 'probe')} that the baseline has right ({percent(record.whole.value)}); "
        f"{count(record.models, 'changed model')} asked again {record.asked_again[0]} lost and {record.asked_again[1]} kept ones"
    )


def table(rows: Sequence[GroupRow]) -> list[tuple[str, ...]]:
    """The heading and a row a group, halves indented under their group."""
    return [COLUMNS, *(_cells(row) for row in rows)]


def _cells(row: GroupRow) -> tuple[str, ...]:
    def effect(value: EffectRow) -> tuple[str, str]:
        return tenths(value.value), between(value.interval)

    return ("  " * row.depth + row.name, str(row.parts), *effect(row.off), *effect(row.alone))


def apart(record: BlameRecord) -> list[str]:
    """Sentences on halves whose effects do not add up, the oddest first."""
    rows = sorted(record.apart, key=lambda row: -abs(row.together - sum(row.apart)))
    return [_apart(record, row) for row in rows]


def _apart(record: BlameRecord, row: ApartRow) -> str:
    whole = record.groups[row.group].name
    first, second = (record.groups[place].name for place in row.halves)
    one, other = map(points, row.apart)
    more = "more" if row.together > sum(row.apart) else "less"
    together = points(row.together)
    if row.way == "off":
        return f"without {whole} {together} points come back, without {first} {one}, without {second} {other}: {more} together"
    return f"with {whole} alone {together} points are lost, with {first} alone {one}, with {second} alone {other}: {more} together"


def state(record: BlameRecord) -> Iterator[str]:
    """What a reader must know besides the numbers."""
    if record.rest.value > 0:
        cannot = f" ({some(record.cannot)} cannot be switched off)" if record.cannot else ""
        yield f"note: with every part switched off, {points(record.rest.value)} points stay lost{cannot}"
    if record.unopened:
        groups, models = count(record.unopened, "group"), on_command_line(option("models"))
        yield (
            f"note: stopped after {count(record.models, 'changed model')}: {groups} more would be worth halving, which takes a larger "
            f"{models}"
        )
    yield from (f"note: {note}" for note in record.run.notes)


def conclusion(record: BlameRecord) -> str:
    """The smallest groups that carry most of the loss, in a sentence or two."""
    whole = points(record.whole.value)
    found = []
    if off := _smallest(record, "off"):
        found.append(
            f"Without {off[0].name}, {points(off[0].off.value)} of the {whole} points lost come back{_also(off, 'off')}."
        )
    if alone := _smallest(record, "alone"):
        lost = points(alone[0].alone.value)
        found.append(
            f"With {alone[0].name} alone, {lost} points are lost, and {whole} with everything{_also(alone, 'alone')}."
        )
    return (
        " ".join(found)
        or f"It is spread: no half that was tried carries half of the {whole} points by itself."
    )


def _smallest(record: BlameRecord, way: Way) -> list[GroupRow]:
    """The smallest groups that carry most of the loss by themselves and have no part in common, the smallest first."""
    least = MOST * record.whole.value
    rows = [row for row in record.groups if row.parent is not None and row.effect(way).value >= least]
    found: list[GroupRow] = []
    for row in sorted(rows, key=lambda row: (row.parts, -row.effect(way).value)):
        if not any(_overlap(row, other) for other in found):
            found.append(row)
    return found


def _overlap(one: GroupRow, other: GroupRow) -> bool:
    layers = not (one.layers or other.layers) or not set(one.layers).isdisjoint(other.layers)
    return layers and not set(one.modules).isdisjoint(other.modules)


def _also(rows: Sequence[GroupRow], way: Way) -> str:
    """What other groups carry: "; layers 0-8: 45.6"."""
    others = [f"{row.name}: {points(row.effect(way).value)}" for row in rows[1:]]
    return f"; {some(others, 2)}" if others else ""


def ends(record: BlameRecord) -> list[tuple[str, list[ExampleRow]]]:
    """The examples that push most against the lost probes, and those that push least or teach them; none without a corpus."""
    if record.examples is None:
        return []
    rows, of = record.examples.examples, record.examples
    shown = min(SHOWN, len(rows) // 2 or len(rows))
    tried = count(of.of, "example") if len(rows) == of.of else f"{len(rows):,} of {count(of.of, 'example')}"
    first = f"examples of {of.corpus} that push most against {count(of.probes, 'lost probe')} (of {tried})"
    last = [("examples that push least", rows[-shown:][::-1])] if len(rows) > shown else []
    return [(first, rows[:shown]), *last]
