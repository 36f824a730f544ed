"""A tuned model in; searched, confirmed and written, or told why not, out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness import __version__
from harness.engine.in_reach import check_in_reach
from harness.engine.prompts import request
from harness.engine.requests import EnginePair, Request
from harness.engine.settings import Settings
from harness.errors import ModelError, shown_path
from harness.evaluation.suite_runs import Cuts
from harness.progress import counter
from harness.repair.confirm import Confirmation, check_same_answers, confirm
from harness.repair.measure import Examiner
from harness.repair.models import LocalModels
from harness.repair.publish import LEFT_BY_FAILURE, check_free, publish
from harness.repair.record import CandidateRow, Outcome, RepairRecord
from harness.repair.schedule import Half, RepairOptions, Schedule, read_schedule
from harness.repair.search import BudgetUsedError, Candidate, Search, Tried, choose
from harness.repair.text import terminal_lines
from harness.repair.trials import Trials
from harness.spelling import on_command_line
from harness.terminal import say, show
from harness.visible import encodable
from harness.wording import now, percent, tenths
from harness.writing import clear_report

if TYPE_CHECKING:
    from harness.training.edits.repairable import Repairable

CODES: dict[Outcome, int] = {
    "repaired": 0, "unchanged": 0, "nothing passes": 1, "not confirmed": 1, "undecided": 5,
}  # fmt: skip


def repair(options: RepairOptions, settings: Settings) -> int:
    """Search, confirm and write a repair; 0, 1 if nothing passes, 5 if nothing can be decided.

    Raises:
        SuiteError, RecipeError, ModelError, HarnessError: the input cannot be used.
    """
    check_in_reach(settings)
    check_free(options.out)
    clear_report(options.out, LEFT_BY_FAILURE, "out")
    schedule = read_schedule(options, settings)
    models = LocalModels(options, settings, requests_of(schedule))
    record = repaired(schedule, options, settings, models).record
    show("\n".join(terminal_lines(record, shown_path(options.out))))
    return CODES[record.outcome]


def requests_of(schedule: Schedule) -> list[Request]:
    """All requests of both halves."""
    asked = [(schedule.target, probe) for probe in schedule.target.probes]
    for half in (schedule.selection, schedule.confirmation):
        asked += [(case.suite, probe) for case in half.cases for probe in case.probes]
    return list(dict.fromkeys(request(suite, probe) for suite, probe in asked))


@dataclass
class Repair:
    """A repair under way."""

    schedule: Schedule
    options: RepairOptions
    settings: Settings
    models: LocalModels
    notes: list[str] = field(default_factory=list)
    cuts: Cuts = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    started: str = field(default_factory=now)
    edited: dict[str, Repairable] = field(default_factory=dict)
    """By form, what can be tried."""
    tried: list[Tried] = field(default_factory=list)
    complete: bool = True

    def examiner(self, half: Half, show: Callable[[], str]) -> Examiner:
        """What asks the probes of a half; `show` says what is asked."""
        return Examiner(
            self.schedule,
            half,
            self.options.policy,
            self.settings,
            allow_code=self.options.allow_code,
            counter=lambda suite: counter(f"{show()}, {suite}"),
            notes=self.notes,
            cuts=self.cuts,
        )

    def pair(self, candidate: Candidate) -> EnginePair:
        """The engines of a candidate."""
        edited = self.edited[candidate.form]
        return EnginePair(
            edited.baseline, edited.engine(candidate.edit), self.models.device, self.models.dtype
        )

    def record(
        self,
        outcome: Outcome,
        reason: str = "",
        chosen: Tried | None = None,
        confirmed: Confirmation | None = None,
    ) -> RepairRecord:
        """The record as it stands."""
        options, (model, baseline) = self.options, self.models.rows
        groups = list(dict.fromkeys(group for edited in self.edited.values() for group in edited.groups))
        return RepairRecord(
            harness=__version__,
            started=self.started,
            seconds=round(time.monotonic() - self.began, 1),
            command=[encodable(argument) for argument in options.command],
            model=model,
            baseline=baseline,
            device=self.models.device,
            dtype=self.models.dtype,
            target=self.schedule.target.name,
            suites=[suite.name for suite in self.schedule.suites],
            seed=options.seed,
            sample=options.sample,
            useful=options.useful,
            margin=options.margin,
            strict=options.strict,
            groups=groups,
            candidates=[candidate_row(each) for each in self.tried],
            complete=self.complete,
            outcome=outcome,
            reason=reason,
            chosen=str(chosen.candidate.edit) if chosen else None,
            confirmed=confirmed.row if confirmed else None,
            notes=[
                encodable(on_command_line(note)) for note in dict.fromkeys((*self.models.notes, *self.notes))
            ],
        )


def candidate_row(tried: Tried) -> CandidateRow:
    """The row of a trial."""
    edit = tried.candidate.edit
    return CandidateRow(
        name=str(edit),
        form=tried.candidate.form,
        **edit.data,
        standing=tried.standing,
        effect=tried.measured.row,
        seconds=round(tried.seconds, 1),
    )


@dataclass(frozen=True)
class Repaired:
    """The record of a repair, and what the confirmation half says of the chosen candidate; None if there is none."""

    record: RepairRecord
    confirmation: Confirmation | None


def repaired(schedule: Schedule, options: RepairOptions, settings: Settings, models: LocalModels) -> Repaired:
    """Search, confirm, and write the folder: with the model, or with the record alone; see `repair`."""
    run = Repair(schedule, options, settings, models, list(schedule.notes))
    with ExitStack() as restoring:
        edited = models.load()
        restoring.callback(edited.restore)
        run.edited[edited.form] = edited
        _search(run, edited, restoring)
        ended = _end(run)
    if CODES[ended.record.outcome] != 0:
        publish(ended.record, options.out, models.baseline_name)
    return ended


def _search(run: Repair, edited: Repairable, restoring: ExitStack) -> None:
    """Try candidates until there are no more, or no time."""
    trials = Trials(
        run.examiner(run.schedule.selection, lambda: trials.now or "baseline"),
        run.pair,
        useful=run.options.useful,
        margin=run.options.margin,
        budget=None if run.options.budget is None else 60 * run.options.budget,
        say=say,
        seed=run.options.seed,
    )

    def merged() -> Sequence[str] | None:
        """The groups of the full model that pruning gives."""
        if "full" not in run.edited:
            try:
                full = run.models.merged()
            except ModelError as error:
                run.notes.append(f"nothing was pruned: {error.text}")
                full = None
            if full is None:
                return None
            restoring.callback(full.restore)
            run.edited["full"] = full
        return run.edited["full"].groups

    trials.examiner.ask_baseline(edited.baseline)
    search = Search(edited.groups, edited.form, merged, trials)
    reference = search.one(search.reference)
    try:
        if reference.measured.learnt.interval[1] < 0 and not reference.passes:
            search.run()
    except BudgetUsedError:
        run.complete = False
        say(f"the budget of {run.options.budget:g} min is used up: no further candidate is tried")
    run.tried = list(search.tried.values())


def _end(run: Repair) -> Repaired:
    """Confirm what was chosen, and write it."""
    reference = run.tried[0]
    low = -reference.measured.learnt.interval[1]
    if low <= 0:
        reason = (
            f"the tuned model is not shown to have learnt the target: its gain is {tenths(reference.measured.gain)} points over "
            f"{len(reference.measured.target)} probes, and may be {tenths(low)}"
        )
        return Repaired(run.record("undecided", reason), None)
    chosen = choose(run.tried)
    if chosen is None:
        return Repaired(run.record("nothing passes", _why_none(run)), None)
    say(f"chosen: {chosen.candidate.edit}; it is confirmed on the other half of the probes")
    examiner = run.examiner(run.schedule.confirmation, lambda: "confirming")
    confirmation = confirm(
        examiner,
        run.pair(chosen.candidate),
        run.pair(reference.candidate),
        run.schedule,
        useful=run.options.useful,
    )
    if confirmation.reason:
        failed: Outcome = "undecided" if confirmation.undecided else "not confirmed"
        return Repaired(run.record(failed, confirmation.reason, chosen, confirmation), confirmation)
    edit = chosen.candidate.edit
    record = run.record("unchanged" if edit.is_none else "repaired", "", chosen, confirmation)

    def write(folder: Path) -> None:
        run.edited[chosen.candidate.form].write(edit, folder)
        check_same_answers(examiner, run.models.written(folder), confirmation)

    publish(record, run.options.out, run.models.baseline_name, write)
    return Repaired(record, confirmation)


def _why_none(run: Repair) -> str:
    useful = [each for each in run.tried if each.standing != "gain gone"]
    best = max(useful, key=lambda each: each.score)
    drop = "" if best.measured.drop is None else f", and loses {tenths(best.measured.drop)}"
    failed = f"; gates that fail: {', '.join(best.measured.failed[:4])}" if best.measured.failed else ""
    return (
        f"none keeps {percent(run.options.useful)} of the gain and passes; the best is "
        f"{best.candidate.edit}: it gains {tenths(best.measured.gain)} points{drop}{failed}"
    )
