"""Recipes and suites in; each recipe trained and measured, and the ranking as table, record and pages, out.

The record is written after each trained model, and its results are kept as long as nothing that they depend on changes.
"""

from __future__ import annotations

import platform
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from harness import __version__
from harness.engine.settings import Settings
from harness.errors import HarnessError, NoEvidenceError, shown_path
from harness.reporting.figures import svg
from harness.reporting.holding import held
from harness.spelling import on_command_line
from harness.sweep.measure import Models, Trial, baseline_rows, cut_notes, measure, trials_of
from harness.sweep.page import sweep_page
from harness.sweep.pareto_plot import pareto
from harness.sweep.record import FILE, RecipeRow, SeedRow, SweepRecord, SweepRun, read_sweep, write_sweep
from harness.sweep.results import measured_again, ranked, recipe_row
from harness.sweep.schedule import Schedule, SweepOptions, read_schedule
from harness.sweep.text import markdown_page, terminal_lines
from harness.terminal import say, show
from harness.visible import encodable
from harness.wording import now
from harness.writing import ELSEWHERE, clear_report, write_wanted, writing_report

MATCHED = 0.9
"""A recipe shown to learn less than this share of the largest gain is not ranked, unless the user gives another."""

PLOT, PAGE, TEXT = "pareto.svg", "ladder.html", "ladder.md"

EARLIER = "ladder.earlier.json"
"""The record of an earlier sweep, until its results are in that of this one."""


def sweep(options: SweepOptions, settings: Settings) -> int:
    """Train, measure and rank the recipes; 0, or 1 if a recipe failed.

    Raises:
        HarnessError: the input cannot be used; as NoEvidenceError, no recipe has shown to learn its task.
    """
    with held(options.report, FILE, "report"):
        set_aside(options.report)
        schedule = read_schedule(options, settings)
        from harness.sweep.models import TorchModels

        return run_sweep(schedule, options, TorchModels(schedule.base, settings))


def render(options: SweepOptions) -> int:
    """Render the reports of a sweep again from its record, ranked by other rules if the user gives them; 0."""
    record = read_sweep(options.report)
    changed = {"matched": options.matched, "asked_for": options.reference}
    given = {key: value for key, value in changed.items() if value is not None}
    record = ranked(measured_again(record.model_copy(update=given)))
    write_sweep(record, options.report)
    _publish(record, options.report)
    return 0


def run_sweep(schedule: Schedule, options: SweepOptions, models: Models) -> int:
    """Measure what was not measured yet, with models from anywhere; see `sweep`."""
    climb = Climb(schedule, options, models)
    for recipe in schedule.recipes:
        climb.measure(recipe.name)
    _publish(climb.record, options.report)
    if any(row.error for row in climb.record.rungs):
        return 1
    if climb.record.unranked is not None:
        raise NoEvidenceError(climb.record.unranked)
    return 0


class Climb:
    """A sweep under way, recipe by recipe; what an earlier one in its folder measured is known from the start.

    Raises:
        NoEvidenceError: the baseline is right on the whole target.
        HarnessError: the folder cannot be written.

    Attributes:
        record: so far, as it is in the folder.
    """

    def __init__(self, schedule: Schedule, options: SweepOptions, models: Models) -> None:
        self.schedule, self.options, self.models = schedule, options, models
        set_aside(options.report)
        earlier = _earlier(options.report)
        self.record = _begun(schedule, options, models, earlier)
        self._known = {seed.key: seed for row in (earlier.rungs if earlier else ()) for seed in row.seeds}
        self._trials = {
            recipe.name: trials_of(recipe, options.seeds, schedule, models) for recipe in schedule.recipes
        }
        for of_recipe in self._trials.values():  # everything that is known, so that a kill loses none of it
            self.record = _with_recipe(self.record, of_recipe, self._known)
        self._write()
        with writing_report(options.report, "nothing"):
            (options.report / EARLIER).unlink(missing_ok=True)

    def knows(self, name: str) -> bool:
        """Whether a recipe was measured, under each of its seeds."""
        return all(trial.key in self._known for trial in self._trials[name])

    def measure(self, name: str) -> RecipeRow:
        """Train and measure a recipe, under each seed that is not known yet; its row, with an error if that failed."""
        folder, of_recipe = self.options.report, self._trials[name]
        for trial in of_recipe:
            if trial.key in self._known:
                say(f"{trial.name}: measured before, kept in {shown_path(folder / FILE)}")
                continue
            error = None
            try:
                self._known[trial.key] = measure(
                    trial, self.schedule, self.record, self.models, self.options.allow_code
                )
            except HarnessError as failure:
                error = failure.on_command_line
                say(f"{trial.name}: failed\n  {error}")
            self.record = _with_recipe(self.record, of_recipe, self._known, error)
            self._write()
            if error is not None:
                break
        row = self.record.recipe(name)
        assert row is not None, "a recipe has a seed"
        return row

    def leave_out(self, names: Collection[str]) -> None:
        """Plan recipes no longer; what is known of them stays."""
        kept = [name for name in self.record.planned if name not in names]
        rungs = [row for row in self.record.rungs if row.name in kept]
        self.record = ranked(self.record.model_copy(update={"planned": kept, "rungs": rungs}))
        self._write()

    def _write(self) -> None:
        """Write the record, with notes on the answers that were cut."""
        notes = [*self.schedule.notes, *cut_notes(self.schedule, self.record)]
        told = {"notes": [encodable(on_command_line(note)) for note in notes]}
        self.record = self.record.model_copy(update={"run": self.record.run.model_copy(update=told)})
        write_sweep(self.record, self.options.report)


def _earlier(folder: Path) -> SweepRecord | None:
    """The record that was set aside in this folder, if it can be used."""
    if not (folder / EARLIER).is_file():
        return None
    try:
        return read_sweep(folder, EARLIER)
    except HarnessError as error:
        say(f"{error.text}\n  everything is measured anew")
        return None


def set_aside(folder: Path) -> None:
    """Remove an earlier sweep's pages, and keep its record under another name: neither may pass for this one's.

    The next sweep in the folder goes on from that record, whatever ends this one.

    Raises:
        HarnessError: the folder cannot be written.
    """
    with writing_report(folder, "nothing"):
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / FILE).is_file():
            (folder / FILE).replace(folder / EARLIER)
    clear_report(folder, (PLOT, PAGE, TEXT))


# Results


def _begun(
    schedule: Schedule, options: SweepOptions, models: Models, earlier: SweepRecord | None
) -> SweepRecord:
    """The record before the first recipe: the baseline was asked, and misses part of the target.

    Raises:
        NoEvidenceError: the baseline is right on the whole target.
    """
    kept = {row.key: row for row in (earlier.target, *earlier.suites)} if earlier else {}
    target, *suites = baseline_rows((schedule.target, *schedule.general), models, kept, options.allow_code)
    if all(target.baseline):
        raise NoEvidenceError(
            f"the baseline is right on all {len(target.probes)} probes of the target '{target.name}', so nothing can be "
            "gained\n  give a target suite that the baseline has yet to learn"
        )
    run = SweepRun(
        harness=__version__,
        started=now(),
        command=[encodable(argument) for argument in options.command],
        base=encodable(schedule.base.name),
        weights=models.weights,
        device=models.device,
        dtype=models.dtype,
        versions={"python": platform.python_version(), **models.versions},
        sample=options.sample,
        seeds=list(options.seeds) or None,
    )
    return SweepRecord(
        run=run,
        matched=MATCHED if options.matched is None else options.matched,
        reference=None,
        asked_for=options.reference,
        planned=[recipe.name for recipe in schedule.recipes],
        target=target,
        suites=suites,
        rungs=[],
    )


def _with_recipe(
    record: SweepRecord, trials: Sequence[Trial], known: Mapping[str, SeedRow], error: str | None = None
) -> SweepRecord:
    """The record with what is known of a recipe in it, ranked anew."""
    seeds = [known[trial.key] for trial in trials if trial.key in known]
    if not seeds and error is None:
        return record
    recipe = trials[0].recipe
    new = recipe_row(
        shown_path(recipe.path), recipe.written, seeds, record.target, record.suites,
        of=len(trials), error=error,
    )  # fmt: skip
    rows = {row.name: row for row in (*record.rungs, new)}
    in_order = [rows[name] for name in record.planned if name in rows]
    return ranked(record.model_copy(update={"rungs": in_order}))


def _publish(record: SweepRecord, folder: Path) -> None:
    """Write the pages, print the table."""
    write_pages(record, folder)
    show("\n".join(terminal_lines(record)))
    show(f"\nrecord: {shown_path(folder / FILE)}; page: {shown_path(folder / PAGE)}")


def write_pages(record: SweepRecord, folder: Path) -> None:
    """Write a sweep as pages, beside its record; raises HarnessError."""
    figure = pareto(record)
    plot = None if figure is None else svg(figure)
    pages = {TEXT: markdown_page(record, PLOT if plot else None), PAGE: sweep_page(record, plot)}
    if plot is not None:
        pages[PLOT] = plot
    for name, text in pages.items():
        write_wanted(folder / name, text, ELSEWHERE)
