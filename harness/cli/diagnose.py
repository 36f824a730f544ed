"""`diagnose`: ask both models what was lost in other ways, and say for each suite why it was lost."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.history import add_history
from harness.cli.options import A_RUN, Commands, add_asking, reach_of
from harness.command_line import count, whole
from harness.engine.settings import settings_of
from harness.errors import HarnessError, NoEvidenceError, shown_path
from harness.progress import counter
from harness.spelling import on_command_line
from harness.terminal import say, show

if TYPE_CHECKING:
    from harness.reporting.diagnosis_rows import DiagnosisRow
    from harness.reporting.rows import Record


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "diagnose",
        help="say why probes were lost: a format that took over, knowledge, refusals, rambling, a language",
    )
    parser.add_argument(
        "record", nargs="?", metavar="RUN",
        help=f"{A_RUN} (default: gate --model first)",
    )  # fmt: skip
    parser.add_argument(
        "--model", metavar="REF", help="the tuned model, gated first; with RUN, the model of that run"
    )
    parser.add_argument(
        "--baseline",
        metavar="REF",
        help="the model before tuning (default: the one that the tuned model names)",
    )
    parser.add_argument(
        "--suite", action="append", type=Path, default=[], metavar="SUITE",
        help="a suite, or a folder of suites (repeatable; with RUN by default the files that it names)",
    )  # fmt: skip
    parser.add_argument(
        "--sample",
        type=count,
        metavar="N",
        help="gate only N probes, spread over the suites (without RUN)",
    )
    parser.add_argument(
        "--most", type=count, metavar="N",
        help="ask at most N lost probes of a suite in other ways, and half as many kept ones as a control (default: 48)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=whole, default=0, metavar="N", help="random seed of samples and choices (default: 0)"
    )
    parser.add_argument(
        "--report", type=Path, default=Path("reports/diagnosis"), metavar="DIR",
        help="folder for diagnosis.json and diagnosis.html (default: reports/diagnosis)",
    )  # fmt: skip
    add_history(parser)
    add_asking(parser, template=True)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Print why probes were lost, and write it as JSON and as a page; 0 once it is done, also if nothing was lost.

    Raises:
        HarnessError: the record, a suite or a model cannot be used.
        NoEvidenceError: the record compares no probes.
    """
    from harness import __version__
    from harness.diagnosis.record import FILE, PAGE, DiagnosisRecord, write_diagnosis
    from harness.diagnosis.text import lines
    from harness.wording import now
    from harness.writing import clear_report

    _check(parsed)
    clear_report(parsed.report, (FILE, PAGE))
    started = now()
    models, found, notes = _found(parsed)
    notes = [on_command_line(note) for note in notes]
    record = DiagnosisRecord(
        harness=__version__, started=started, command=sys.argv[1:], models=models, suites=found, notes=notes
    )
    path, page = write_diagnosis(record, parsed.report)
    show("\n".join([models, *lines(found), *(f"note: {note}" for note in notes)]))
    show(f"\ndiagnosis: {shown_path(path)}\npage: {shown_path(page)}")
    return 0


def _found(parsed: Namespace) -> tuple[str, dict[str, DiagnosisRow], list[str]]:
    """The models, why probes of each suite were lost, and notes; without loading a model if the record lost none."""
    from harness.diagnosis.diagnose import MOST, Diagnosing, diagnosed
    from harness.diagnosis.opening import Opener
    from harness.reporting.history.found import find_run
    from harness.reporting.in_short import models

    settings = settings_of(vars(parsed))
    notes: list[str] = []
    opener = Opener(
        settings,
        say,
        counter,
        parsed.model,
        parsed.baseline,
        parsed.suite,
        reach_of(parsed),
        parsed.allow_code,
    )
    if parsed.record is None:
        opened = opener.gated(parsed.sample, parsed.seed)
    else:
        found_run = find_run(parsed.record, parsed.history)
        record = found_run.record
        notes = list(_not_whole(record, found_run.name))
        if all(row.change != "lost" for row in record.probes):
            return models(record), {}, notes
        opened = opener.of_record(record)
    how = Diagnosing(parsed.most or MOST, parsed.seed, parsed.allow_code, counter)
    found = diagnosed(opened.probes, opened.suites, opened.engines, how)
    return opened.models, found, [*notes, *opened.notes]


def _not_whole(record: Record, name: str) -> Iterator[str]:
    """A note on a run without a verdict of its own; raises NoEvidenceError if it compared no probes."""
    from harness.reporting.changes import change_of

    status = record.run.status
    if all(change_of(row) in ("alone", "texts") for row in record.probes):
        raise NoEvidenceError(
            f"{name}: nothing to diagnose: its run ({status}) has no probe that both models answered right or wrong\n"
            "  run the gate again, or name another record"
        )
    if status not in ("passed", "forgotten"):
        yield f"the status of the run is '{status}': what it did not ask may be lost too"


def _check(parsed: Namespace) -> None:
    """Raise HarnessError for options that do not go together."""
    if parsed.record is None and (parsed.model is None or not parsed.suite):
        raise HarnessError(
            "nothing to diagnose\n  name a record: diagnose reports/latest; or a model and suites: --model REF --suite SUITE"
        )
    if parsed.record is not None and parsed.sample is not None:
        raise HarnessError("--sample: the record has its probes already\n  leave it out, or use --most")
