"""What a run of `tune` came to, as a versioned JSON record; and the gate over the probes that confirmed, as any run's record."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Literal

from harness import __version__
from harness.errors import HarnessError, shown_path
from harness.evaluation.record import rows, suite_row, versions
from harness.repair.confirm import Confirmation
from harness.repair.record import RepairRecord
from harness.repair.schedule import Schedule
from harness.reporting.explain import INTERVAL
from harness.reporting.holding import lock_name
from harness.reporting.record import read_back
from harness.reporting.row import Row
from harness.reporting.rows import Record, RunRow
from harness.reporting.run_rows import run_status
from harness.reporting.standing_out import standing_out
from harness.spelling import option
from harness.tune.schedule import RECIPES, TuneOptions
from harness.visible import encodable
from harness.wording import between, now, tenths

VERSION: Literal[1] = 1
FILE = "tune.json"

Outcome = Literal["unfinished", "found", "none", "not confirmed", "undecided", "budget used"]


class StepRow(Row):
    """A recipe that was tried, its gain and drop on the selection probes, fractions, and what became of it, in words."""

    recipe: str
    gain: float | None
    drop: float | None
    learnt: bool
    said: str


class TuneRecord(Row):
    """One run; `arguments` are all that its result depends on, `chosen` names the recipe of the model."""

    version: Literal[1] = VERSION
    harness: str = __version__
    started: str
    seconds: float = 0.0
    command: list[str]
    arguments: dict[str, Any]
    outcome: Outcome = "unfinished"
    steps: list[StepRow] = []
    chosen: str | None = None


def begun(options: TuneOptions) -> TuneRecord:
    """The record of a run that begins; one of the same arguments may have begun in its folder before.

    Raises:
        HarnessError: the folder holds something else.
    """
    arguments = {
        "base": encodable(options.base),
        "corpus": encodable(str(options.corpus)),
        "general": None if options.general is None else encodable(str(options.general)),
        "target": encodable(str(options.target)),
        "suites": [encodable(str(path)) for path in options.suites],
        "sample": options.sample,
        "seed": options.seed,
        "useful": options.useful,
        "margin": options.margin,
    }
    check_out(options.out, arguments)
    return TuneRecord(started=now(), command=list(map(encodable, options.command)), arguments=arguments)


def check_out(out: Path, arguments: dict[str, Any]) -> None:
    """Refuse a folder that is neither free nor that of a run of these arguments; raises HarnessError."""
    if not out.exists() or (
        out.is_dir() and {path.name for path in out.iterdir()} <= {RECIPES, lock_name(FILE)}
    ):
        return  # recipes alone are left by a corpus that could not be read
    other = f"name another folder: {option('out', 'DIR')}"
    named = option("out", shown_path(out))
    if not (out / FILE).is_file():
        raise HarnessError(f"{named}: exists, and nothing is overwritten\n  {other}")
    earlier = read_back(out / FILE, TuneRecord, "the record of a tuning", VERSION).arguments
    if changed := [key for key, value in arguments.items() if earlier.get(key) != value]:
        raise HarnessError(f"{named}: holds a run of another {', '.join(changed)}\n  {other}")


def gate_record(
    repair: RepairRecord, confirmation: Confirmation, schedule: Schedule, options: TuneOptions, began: float
) -> Record:
    """The gate's record over the probes that had no part in the choice; `began` is of the monotonic clock."""
    gates, probes = rows(confirmation.measured.decisions)
    session, effect, code = confirmation.session, confirmation.measured.row, confirmation.exit_status
    unconfirmed = [encodable(confirmation.reason)] if code == 0 and confirmation.reason else []
    asked = {case.suite.name for case in schedule.confirmation.cases}
    note = (
        f"these are the {len(probes):,} probes that had no part in choosing the model; it gains {tenths(effect.gain)} points "
        f"({INTERVAL} {between(effect.gain_interval)}) on {effect.target_probes} of the target '{repair.target}'"
    )
    run = RunRow(
        harness=__version__,
        started=repair.started,
        ended=now(),
        status=run_status(code or len(unconfirmed), gate_failed=code == 1),
        seconds=round(time.monotonic() - began, 1),
        command=list(map(encodable, options.command)),
        exit_status=code or len(unconfirmed),
        errors=unconfirmed,
        baseline=repair.baseline,
        tuned=repair.model,
        device=repair.device,
        dtype=repair.dtype,
        versions=versions(),
        suites={suite.name: suite_row(suite) for suite in schedule.suites if suite.name in asked},
        sample=options.sample,
        sample_seed=options.seed,
        strict=False,
        fail_on="low",
        max_drop_overall=options.margin,
        nothing_known=session.nothing_known,
        accepted=session.accepted,
        observed=standing_out(probes),
        notes=[encodable(note), *unconfirmed, *repair.notes],
        seconds_asking=session.seconds_asking,
        **session.given,
    )
    return Record(run=run, gates=gates, probes=probes)
