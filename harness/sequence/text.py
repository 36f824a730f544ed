"""The record of a sequence in; its matrix and measures as lines for a terminal or a Markdown page out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from harness.reporting.explain import INTERVAL
from harness.sequence.record import SequenceRecord, StepRow
from harness.sweep.text import WIDTH, escaped
from harness.tables import aligned, markdown
from harness.visible import visible_lines
from harness.wording import between, count, some, tenths

MEANS: Mapping[str, str] = {
    "average accuracy": "over all tasks, at the end",
    "backward transfer": "how later tasks changed earlier ones; negative is forgetting",
    "forgetting": "how far tasks fell below their best; positive is forgetting",
    "forward transfer": "how earlier tasks changed later ones before these were learnt, against the base",
}

NOTE = (
    "Accuracy on each task, in percent, before any was learnt and after each; the diagonal from the second row on is each task as "
    "it was just learnt. Average accuracy, backward and forward transfer as in Lopez-Paz and Ranzato (2017), forgetting as in "
    f"Chaudhry et al. (2018), in points; {INTERVAL}s pair the answers to the same probes, are wider where probes of one template or "
    "passage go together, and say nothing of another seed. The drop in general pools what can be right or wrong; texts have a gate "
    "of their own."
)


def table(record: SequenceRecord) -> list[tuple[str, ...]]:
    """The heading and a row a step: accuracies, and the drop and the failed gates of the general suites if there are any."""
    general = ("drop in general", "gates failed") if record.general else ()
    rows = [("after", *(task.name for task in record.tasks), *general)]
    for step in record.steps:
        accuracies = [tenths(rate.value) for rate in step.accuracy]
        rows.append((step.after or "(nothing)", *accuracies, *(_general(step) if general else ())))
    return rows


def _general(step: StepRow) -> tuple[str, str]:
    if step.drop is None:
        return "-", "-"
    return (
        f"{tenths(step.drop.value)} ({between(step.drop.interval)})",
        f"{len(step.failed)} of {len(step.decided)}",
    )


def measures_table(record: SequenceRecord) -> list[tuple[str, ...]]:
    """The heading and a row a measure."""
    rows = [(row.name, tenths(row.value), between(row.interval), MEANS[row.name]) for row in record.measures]
    return [("measure", "points", INTERVAL, ""), *rows]


def conclusion(record: SequenceRecord) -> str:
    """What the sequence did to its earlier tasks, in a sentence."""
    if not record.finished:
        done = len(record.steps) - 1
        return f"Not finished: {done} of {count(len(record.tasks), 'task')} learnt."
    found = next(row for row in record.measures if row.name == "backward transfer")
    low, high = found.interval
    lost, gained = f"lost {tenths(-found.value)}", f"gained {tenths(found.value)}"
    if low > 0:
        return f"Earlier tasks {gained} points from those after them ({INTERVAL} {between(found.interval)})."
    if high < 0:
        return f"Earlier tasks {lost} points to those after them ({INTERVAL} {between((-high, -low))})."
    return (
        f"Whether earlier tasks lost or gained by those after them cannot be told: they {gained if found.value > 0 else lost} points "
        f"({INTERVAL} of the change {between(found.interval)})."
    )


def facts(record: SequenceRecord) -> Iterator[tuple[str, str]]:
    """What was trained and asked."""
    run = record.run
    yield "base", f"{run.base}, on {run.device} in {run.dtype}"
    for place, task in enumerate(record.tasks, start=1):
        yield f"task {place}", f"{task.name}, measured by {task.suite} ({count(len(task.probes), 'probe')})"
    if record.general:
        yield "kept", some(record.general, 8)


def state(record: SequenceRecord) -> Iterator[str]:
    """What a reader must know besides the numbers: failed gates, and notes."""
    for step in record.steps:
        if step.gates and not step.decided:
            yield f"after {step.after}, no gate decided anything: {some(sorted({row.undecided for row in step.gates if row.undecided}), 2)}"
        if step.failed:
            names = [f"{row.suite} {row.slice}" for row in step.failed]
            yield f"after {step.after}, {count(len(names), 'gate')} failed: {some(names, 4)}"
    yield from (f"note: {note}" for note in record.run.notes)


def terminal_lines(record: SequenceRecord) -> Iterator[str]:
    """The record for a terminal."""
    for text in _terminal(record):
        yield from visible_lines(text)


def _terminal(record: SequenceRecord) -> Iterator[str]:
    for name, text in facts(record):
        yield f"{name:<7} {text}"
    yield from ("", *aligned(table(record)))
    if record.measures:
        yield from ("", *aligned(measures_table(record), (0, 3)))
    yield ""
    for text in (*state(record), conclusion(record)):
        yield from textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def markdown_page(record: SequenceRecord, plot: str) -> str:
    """The record as a Markdown page.

    Args:
        plot: the file name of the heat map, beside the page.
    """
    return "\n".join(_markdown(record, plot)) + "\n"


def _markdown(record: SequenceRecord, plot: str) -> Iterator[str]:
    yield from ("# Tasks learnt one after another", "", f"**{escaped(conclusion(record))}**", "")
    yield from (f"- {name}: {escaped(text)}" for name, text in facts(record))
    yield from (f"- {escaped(text)}" for text in state(record))
    yield from ("", f"![Accuracy on each task after each]({plot})", "")
    yield from (*markdown([tuple(map(escaped, row)) for row in table(record)]), "")
    if record.measures:
        yield from (*markdown([tuple(map(escaped, row)) for row in measures_table(record)], (0, 3)), "")
    yield NOTE
