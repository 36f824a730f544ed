"""Recipes in order and suites in; each tuned from the last and measured on every task, and the matrix as pages out.

Trained models are kept in the cache and answers in the store, so an interrupted sequence goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness import __version__
from harness.engine.settings import Settings
from harness.errors import shown_path
from harness.evaluation.record import versions
from harness.models.identity import weights_identity
from harness.recipes.read import Recipe
from harness.reporting.exit_code import exit_code
from harness.reporting.figures import svg
from harness.reporting.record import gate_row, write_out
from harness.reporting.rows import AnswerRow
from harness.sequence.measure import Models, Step, steps
from harness.sequence.page import sequence_page
from harness.sequence.plot import heat_map
from harness.sequence.record import (
    FILE,
    RateRow,
    SequenceRecord,
    SequenceRun,
    StepRow,
    TaskRow,
)
from harness.sequence.results import Scores, drops_of, matrix_of, measures_of
from harness.sequence.schedule import Schedule, SequenceOptions, read_schedule
from harness.sequence.text import markdown_page, terminal_lines
from harness.spelling import on_command_line, option
from harness.sweep.schedule import AskedSuite
from harness.terminal import show
from harness.visible import encodable
from harness.wording import now
from harness.writing import clear_report, write_wanted, writing_report

PLOT, PAGE, TEXT = "matrix.svg", "sequence.html", "sequence.md"
FILES = (FILE, PLOT, PAGE, TEXT)


def sequence(options: SequenceOptions, settings: Settings) -> int:
    """Train and measure the recipes; 0, 1 if a gate failed after one of them, 5 if none decided anything.

    Raises:
        HarnessError: the input cannot be used, or a recipe cannot be trained.
    """
    clear_report(options.out, FILES, "out")
    schedule = read_schedule(options, settings)
    from harness.sequence.models import Chain

    return run_sequence(schedule, options, Chain(schedule.base, settings))


def run_sequence(schedule: Schedule, options: SequenceOptions, models: Models) -> int:
    """The same with models from anywhere."""
    with writing_report(options.out, "nothing", "out"):
        options.out.mkdir(parents=True, exist_ok=True)
    clear_report(options.out, FILES, "out")
    done: list[Step] = []
    for step in steps(schedule, models, options.allow_code):
        done.append(step)
        record = _record(schedule, options, done)
        write_out(record, options.out / FILE)
    _publish(record, options.out)
    return _exit_code(record)


def _exit_code(record: SequenceRecord) -> int:
    """1 if a gate failed after a task, 5 if there are gates and after one of the tasks none decided anything, else 0."""
    codes = {exit_code(step.gates) for step in record.steps[1:]} if record.general else set()
    return next((code for code in (1, 5) if code in codes), 0)


def _record(schedule: Schedule, options: SequenceOptions, done: Sequence[Step]) -> SequenceRecord:
    """The record of the steps so far."""
    scores: Scores = [{name: each.scores for name, each in step.answered.items()} for step in done]
    notes = [*schedule.notes, *done[-1].notes]
    rows = zip(done, matrix_of(schedule.tasks, scores), drops_of(schedule.general, scores), strict=True)
    return SequenceRecord(
        run=SequenceRun(
            harness=__version__,
            started=now(),
            command=[encodable(argument) for argument in options.command],
            base=encodable(schedule.base.name),
            weights=weights_identity(schedule.base.folder),
            device=done[0].device,
            dtype=done[0].dtype,
            versions=versions(),
            sample=options.sample,
            notes=[encodable(on_command_line(note)) for note in dict.fromkeys(notes)],
        ),
        tasks=list(map(_task_row, schedule.recipes, schedule.tasks)),
        general=[encodable(asked.suite.name) for asked in schedule.general],
        steps=[_step_row(schedule, step, row, drop) for step, row, drop in rows],
        measures=measures_of(schedule.tasks, scores) if len(done) == len(schedule.tasks) + 1 else [],
    )


def _task_row(recipe: Recipe, task: AskedSuite) -> TaskRow:
    return TaskRow(
        name=encodable(recipe.name),
        recipe=recipe.written,
        path=shown_path(recipe.path),
        suite=encodable(task.suite.name),
        target=shown_path(task.suite.path) if task.suite.path else "",
        probes=[encodable(probe.id) for probe in task.probes],
    )


def _step_row(schedule: Schedule, step: Step, accuracy: list[RateRow], drop: RateRow | None) -> StepRow:
    answers = {
        encodable(asked.suite.name): [
            AnswerRow.of(step.answered[asked.suite.name].scores[probe.id]) for probe in asked.probes
        ]
        for asked in (*schedule.tasks, *schedule.general)
    }
    return StepRow(
        after=encodable(step.recipe.name) if step.recipe else None,
        accuracy=accuracy,
        answers=answers,
        drop=drop,
        gates=[gate_row(decision) for decision in step.decisions],
        seconds_training=step.seconds,
    )


def _publish(record: SequenceRecord, folder: Path) -> None:
    """Write the pages, print the table."""
    plot = svg(heat_map(record))
    pages = {PLOT: plot, TEXT: markdown_page(record, PLOT), PAGE: sequence_page(record, plot)}
    for name, text in pages.items():
        write_wanted(folder / name, text, f"name another folder: {option('out', 'DIR')}")
    show("\n".join(terminal_lines(record)))
    show(f"\nrecord: {shown_path(folder / FILE)}; page: {shown_path(folder / PAGE)}")
