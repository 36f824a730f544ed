"""A Record in, one self-contained page of HTML out: the verdict, charts, every probe with both answers, and their origin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.gate.cases import shown_slice
from harness.reporting.explain import INTERVAL
from harness.reporting.html.chart import accuracies, rises
from harness.reporting.html.detectable import power_of
from harness.reporting.html.diagnosis import shown
from harness.reporting.html.headline import headline
from harness.reporting.html.origin import origin_of
from harness.reporting.html.probes import probes_by_change
from harness.reporting.html.template import html_page
from harness.reporting.rows import Record
from harness.spelling import on_command_line
from harness.wording import count, some


@dataclass(frozen=True)
class Undecided:
    """A gate that decided nothing, and why."""

    suite: str
    slice: str
    why: str


def render(record: Record) -> str:
    """The page."""
    return html_page(
        "gate.html",
        record=record,
        headline=headline(record),
        accuracies=accuracies(record.gates),
        rises=rises(record.gates),
        interval=INTERVAL,
        diagnosis=shown(record.run.diagnosis),
        changed=probes_by_change(record.probes),
        power=power_of(record),
        errors=[on_command_line(text) for text in record.run.errors],
        notes=list(_notes(record)),
        undecided=list(_undecided(record)),
        origin=origin_of(record),
    )


def _notes(record: Record) -> Iterator[str]:
    yield from map(on_command_line, record.run.notes)
    for name, ids in record.run.not_measured.items():
        yield f"{name}: {count(len(ids), 'probe')} not measured, because a worker died: {some(ids, 5)}"


def _undecided(record: Record) -> Iterator[Undecided]:
    for row in record.gates:
        if row.outcome == "excused":
            yield Undecided(row.suite, shown_slice(row.slice), "it failed, as a conftest.py expected (xfail)")
        elif row.outcome == "skipped":
            missed = row.verdict == "VACUOUS" and row.over == "each"
            why = row.undecided or ("both models miss it" if missed else "it decided nothing")
            yield Undecided(row.suite, shown_slice(row.slice), on_command_line(why))
