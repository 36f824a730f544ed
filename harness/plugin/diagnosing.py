"""`--diagnose`: the record of a run that has ended in, why its probes were lost out, beside its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.engine.requests import EnginePair
from harness.errors import HarnessError
from harness.plugin.gathered import Gathered
from harness.plugin.names import names_of, reach_of
from harness.plugin.options import RUN_OPTIONS
from harness.plugin.progress import Progress
from harness.plugin.run import Run
from harness.plugin.state import RUN
from harness.reporting.rows import Record

if TYPE_CHECKING:
    from harness.diagnosis.opening import Opened


def diagnose(config: pytest.Config, record: Record, gathered: Gathered) -> None:
    """Find out why probes were lost; a note tells where that cannot be, which fails no run."""
    from harness.diagnosis.diagnose import IN_A_RUN, Diagnosing, diagnosed

    options, progress, names = config.stash[RUN_OPTIONS], Progress(config), names_of(config)
    run = config.stash.get(RUN, None)
    try:
        opened = _of_this_process(run, record) or _anew(config, record, progress)
        how = Diagnosing(IN_A_RUN, options.sample_seed, options.allow_code, progress.counter)
        found = diagnosed(opened.probes, opened.suites, opened.engines, how)
        gathered.run["diagnosis"] = {name: row.model_dump(mode="json") for name, row in found.items()}
        gathered.note(*map(names.here, opened.notes))
    except HarnessError as error:
        gathered.note(names.here(f"{names.best('diagnose')}: {error.text}"))
    except KeyboardInterrupt:
        gathered.note(f"{names.best('diagnose')}: stopped, so it is not known why probes were lost")
    finally:
        progress.close()


def _of_this_process(run: Run | None, record: Record) -> Opened | None:
    """What this process asked; None where workers of xdist did."""
    from harness.diagnosis.opening import Opened

    if run is None or not {"baseline", "tuned"} <= run.asked.keys():
        return None
    if len(run.families) > 1:
        raise HarnessError("suites with models of their own are not diagnosed")
    engines = EnginePair(run.asked["baseline"], run.asked["tuned"])
    suites = {name: each.suite for name, each in run.session.suites.items()}
    return Opened(record.probes, suites, engines, "")


def _anew(config: pytest.Config, record: Record, progress: Progress) -> Opened:
    """The models and suites of the record, opened in this process; raises HarnessError."""
    from harness.diagnosis.opening import Opener

    options = config.stash[RUN_OPTIONS]
    opener = Opener(
        options.settings,
        progress.say,
        progress.counter,
        options.model,
        options.baseline,
        reach=reach_of(config),
        allow_code=options.allow_code,
    )
    return opener.of_record(record)
