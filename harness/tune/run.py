"""Recipes trained, gated and repaired, the least costly first, until one learnt enough and passes; its folder out.

Everything is chosen on one half of the probes. The other half is asked once, of the model that was chosen.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.engine.in_reach import check_in_reach
from harness.engine.settings import Settings
from harness.errors import shown_path
from harness.recipes.read import Recipe
from harness.repair.record import RepairRecord
from harness.repair.run import Repaired, repaired, requests_of
from harness.reporting.holding import held
from harness.reporting.latest import write_page
from harness.reporting.record import write_out, write_record
from harness.spelling import on_command_line
from harness.stats.paired import ROUNDING
from harness.sweep.record import MeasuredRow
from harness.sweep.run import Climb, set_aside, write_pages
from harness.sweep.schedule import SweepOptions
from harness.terminal import say, show
from harness.tune.record import FILE, Outcome, StepRow, TuneRecord, begun, gate_record
from harness.tune.schedule import (
    LADDER,
    MODEL,
    REPAIRS,
    REPORT,
    Schedule,
    TuneOptions,
    read_schedule,
)
from harness.tune.text import terminal_lines
from harness.wording import tenths
from harness.writing import system_fault, writing, writing_report

PAGE = "page.html"
LEAST_LEFT = 1e-3
"""Minutes; with so few left, a repair still gates the model as it is, and confirms it."""

CODES: dict[Outcome, int] = {"found": 0, "none": 1, "not confirmed": 1, "budget used": 1, "undecided": 5}


def tune(options: TuneOptions, settings: Settings) -> int:
    """Train until a model learnt enough and passes; 0, 1 if none does, 5 if nothing can be decided.

    Raises:
        SuiteError, RecipeError, ModelError, HarnessError: the input cannot be used.
        NoEvidenceError: the base is right on the whole target.
    """
    check_in_reach(settings)
    begun(options)  # before anything is written there
    with held(options.out, FILE, "out"):
        return _tune(options, settings)


def _tune(options: TuneOptions, settings: Settings) -> int:
    """The same in a folder that no other run writes to."""
    record = begun(options)
    if (options.out / FILE).is_file():
        write_out(record, options.out / FILE)
        _clear(options.out)
    schedule = read_schedule(options, settings)
    write_out(record, options.out / FILE)
    from harness.sweep.models import TorchModels

    ladder = SweepOptions((), options.suites, options.out / LADDER, allow_code=options.allow_code, command=options.command)  # fmt: skip
    climb = Climb(schedule.ladder, ladder, TorchModels(schedule.ladder.base, settings))
    run = Tuning(options, settings, schedule, climb, record)
    for recipe in run.in_order():
        run.attempt(recipe)
        if run.ended:
            break
    run.publish()
    return CODES[run.record.outcome]


@dataclass
class Tuning:
    """A run under way."""

    options: TuneOptions
    settings: Settings
    schedule: Schedule
    climb: Climb
    record: TuneRecord
    began: float = field(default_factory=time.monotonic)
    last: float = 0.0
    """Seconds that the last recipe took."""
    repair: RepairRecord | None = None
    """Of the model that was chosen."""

    @property
    def ended(self) -> bool:
        """Whether no further recipe is to be tried."""
        return self.record.outcome != "unfinished"

    def in_order(self) -> Iterator[Recipe]:
        """The recipes, as long as there is time: doses until one learns enough, and that dose with mitigations."""
        plan, dose = self.schedule.plan, None
        for recipe in plan.doses:
            if self._out_of_time(recipe):
                return
            yield recipe
            if self.record.steps[-1].learnt:
                dose = recipe.name
                break
        others = [
            recipe for name, mitigated in plan.mitigated.items() if name != dose for recipe in mitigated
        ]
        after = plan.doses[plan.doses.index(recipe) + 1 :]
        self.climb.leave_out([recipe.name for recipe in (*others, *after)])
        for recipe in plan.mitigated.get(dose or "", ()):
            if self._out_of_time(recipe):
                return
            yield recipe
        self._end("none")

    def attempt(self, recipe: Recipe) -> None:
        """Train a recipe, gate it, and repair it if it fails; ends the run with the one that is confirmed, or not."""
        began = time.monotonic()
        row = self.climb.measure(recipe.name)
        self.last = time.monotonic() - began
        if row.measured is None:
            self._step(recipe, None, False, f"failed: {row.error}")
        elif (needed := self._needed(row.measured)) > row.measured.gain + ROUNDING:
            self._step(recipe, row.measured, False, f"learnt too little: {tenths(needed)} points were wanted")
        elif row.measured.gain_interval[0] <= 0:
            self._step(recipe, row.measured, False, "its gain may be chance: there are too few target probes")
        else:
            self._gate(recipe, row.measured, min(1.0, needed / row.measured.gain))

    def publish(self) -> None:
        """Write the pages of the ladder and the record, and print what became of it all."""
        out = self.options.out
        self.record = self.record.model_copy(update={"seconds": round(time.monotonic() - self.began, 1)})
        write_pages(self.climb.record, out / LADDER)
        write_out(self.record, out / FILE)
        show("\n".join(terminal_lines(self.record, self.climb.record, self.repair, shown_path(out))))

    def _needed(self, measured: MeasuredRow) -> float:
        """The gain that is wanted, a fraction."""
        return self.options.useful * (1 - measured.target.baseline_accuracy)

    def _gate(self, recipe: Recipe, measured: MeasuredRow, useful: float) -> None:
        """Gate a model that learnt enough, repair it if need be, and confirm what passes."""
        from harness.repair.models import LocalModels

        out = self.options.out / REPAIRS / recipe.name
        budget = None if self.options.budget is None else max(LEAST_LEFT, self._left / 60)
        options = self.options.repair(str(recipe.path), out, useful, budget)
        halves = self.schedule.halves
        models = LocalModels(options, self.settings, requests_of(halves))
        found = repaired(halves, options, self.settings, models)
        outcome = found.record.outcome
        self._step(recipe, measured, True, _said(found.record))
        if found.confirmation is not None:
            self._report(found)
        if outcome in ("repaired", "unchanged"):
            self.repair = found.record
            self._take(out)
            self._end("found", recipe.name)
        elif (
            found.confirmation is not None
        ):  # the other half has been asked, and is no fresh judge of another model
            self._end("undecided" if outcome == "undecided" else "not confirmed", recipe.name)

    def _report(self, found: Repaired) -> None:
        """Write the gate's record over the confirmation probes, and its page."""
        assert found.confirmation is not None, "nothing else is reported"
        folder = self.options.out / REPORT
        record = gate_record(found.record, found.confirmation, self.schedule.halves, self.options, self.began)
        write_record(record, folder)
        write_page(record, folder / PAGE)

    def _take(self, folder: Path) -> None:
        """Put the model where the user looks for it."""
        model = self.options.out / MODEL
        with writing(f"{shown_path(model)}: cannot be written", "make room there", system_fault):
            folder.rename(model)

    @property
    def _left(self) -> float:
        """Seconds."""
        return 60 * (self.options.budget or 0.0) - (time.monotonic() - self.began)

    def _out_of_time(self, recipe: Recipe) -> bool:
        """Whether a recipe, which takes about as long as the last one, would end after the budget; the first is always tried."""
        known = self.climb.knows(recipe.name) or not self.record.steps
        if known or self.options.budget is None or self._left > self.last:
            return False
        say(f"the budget of {self.options.budget:g} min is used up: no further recipe is tried")
        self._end("budget used")
        return True

    def _step(self, recipe: Recipe, measured: MeasuredRow | None, learnt: bool, said: str) -> None:
        step = StepRow(
            recipe=recipe.name,
            gain=None if measured is None else measured.gain,
            drop=None if measured is None else measured.drop,
            learnt=learnt,
            said=on_command_line(said),
        )
        self.record = self.record.model_copy(update={"steps": [*self.record.steps, step]})
        write_out(self.record, self.options.out / FILE)
        say(f"{step.recipe}: {step.said}")

    def _end(self, outcome: Outcome, chosen: str | None = None) -> None:
        self.record = self.record.model_copy(update={"outcome": outcome, "chosen": chosen})


def _clear(out: Path) -> None:
    """Remove an earlier run's results, but for the recipes measured: none may pass for this run's; raises HarnessError."""
    set_aside(out / LADDER)
    with writing_report(out, "nothing", "out"):
        for name in (REPORT, MODEL, REPAIRS):
            if (out / name).exists():
                shutil.rmtree(out / name)


def _said(repair: RepairRecord) -> str:
    """What became of a recipe that learnt enough."""
    if repair.outcome == "unchanged":
        return "passes as trained"
    if repair.outcome == "repaired":
        return f"passes when repaired: {repair.chosen}"
    return f"{repair.outcome}: {repair.reason}"
