"""`rescore`: score the answers of a record and decide its gates again, without a model."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.history import add_history
from harness.cli.options import A_RUN, Commands, add_allow_code, add_format, add_reading, reach_of
from harness.command_line import OneOf, share_or_off
from harness.errors import shown_path
from harness.suites.severity import SEVERITIES
from harness.terminal import show, show_document

if TYPE_CHECKING:
    from harness.reporting.rows import Record
    from harness.suites.acceptance import Acceptance
    from harness.suites.suite import Suite


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("rescore", help="score and decide a record again, without a model")
    parser.add_argument(
        "record",
        metavar="RUN",
        help=A_RUN,
    )
    parser.add_argument(
        "--suite", action="append", type=Path, default=[], metavar="SUITE",
        help="take scores, right answers and gates from this file instead (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--strict", action="store_true", help="fail inconclusive gates, whether or not the run did"
    )
    parser.add_argument(
        "--fail-on", type=OneOf(*SEVERITIES), metavar="SEVERITY",
        help="lowest severity that fails (default: the record's)",
    )  # fmt: skip
    parser.add_argument(
        "--max-drop-overall", type=share_or_off, metavar="DROP",
        help="largest acceptable drop over all suites together, such as 0.03, or 'off' (default: the record's)",
    )  # fmt: skip
    add_format(parser)
    parser.add_argument(
        "--report-html", type=Path, metavar="FILE", help="also write the new record as a page to this file"
    )
    parser.add_argument(
        "--report-markdown", type=Path, metavar="FILE", help="also write it as Markdown for a pull request"
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="show all in the terminal, not a screenful"
    )
    parser.add_argument(
        "--color", type=OneOf("auto", "yes", "no"), default="auto", metavar="WHEN",
        help="colour the terminal: auto, yes or no (default: auto)",
    )  # fmt: skip
    parser.add_argument("--report", type=Path, metavar="DIR", help="write the new record.json to this folder")
    parser.add_argument(
        "--no-accepted",
        action="store_true",
        help="let the losses that accepted.yaml names count like all others",
    )
    add_allow_code(parser)
    add_reading(parser)
    add_history(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Print the record as decided now; 0, 1 if a gate fails or the recorded run was not whole, 5 if none is decided.

    Raises:
        HarnessError: the record cannot be read or lacks answers, or a suite asks something else.
    """
    from harness.cli.on_screen import show_record
    from harness.evaluation.rescore import rescored
    from harness.evaluation.suites import read_suites
    from harness.gate.policy import Policy, overall_margin
    from harness.reporting.formats import render
    from harness.reporting.history.found import find_run
    from harness.reporting.latest import write_markdown, write_page
    from harness.reporting.record import write_record
    from harness.spelling import on_command_line

    record = find_run(parsed.record, parsed.history).record
    given = parsed.max_drop_overall
    overall = overall_margin(given, otherwise=record.run.max_drop_overall)
    policy = Policy(parsed.strict or record.run.strict, parsed.fail_on or record.run.fail_on, overall)
    suites = read_suites(parsed.suite, reach_of(parsed)) if parsed.suite else ()
    again = rescored(
        record, suites, policy, allow_code=parsed.allow_code, add_overall=given is not None,
        accepted={} if parsed.no_accepted else _accepted(record, suites),
    )  # fmt: skip
    if parsed.format == "terminal":
        show_record(again, parsed.verbose, parsed.color)
    else:
        show_document(on_command_line(render(again, parsed.format)))
    if parsed.report_html:
        write_page(again, parsed.report_html)
        show(f"page: {shown_path(parsed.report_html)}")
    if parsed.report_markdown:
        write_markdown(again, parsed.report_markdown)
        show(f"Markdown: {shown_path(parsed.report_markdown)}")
    if parsed.report:
        show(f"record: {shown_path(write_record(again, parsed.report))}")
    assert again.run.exit_status is not None, "a record that was decided again has one"
    return again.run.exit_status


def _accepted(record: Record, suites: Sequence[Suite]) -> dict[str, Sequence[Acceptance]] | None:
    """What is accepted of each suite by its accepted.yaml; None if no suite's file is here, for what the record has.

    Raises:
        SuiteError: such a file cannot be read.
    """
    from harness.suites.accepted import accepted_file, accepted_in, ships

    paths = {name: Path(row.path) for name, row in record.run.suites.items() if row.path}
    paths |= {suite.name: suite.path for suite in suites if suite.path}
    there = {
        name: accepted_file(name, path) for name, path in paths.items() if path.is_file() or ships(name, path)
    }
    by_file = {file: accepted_in(file) for file in set(there.values())}
    found = {name: [loss for loss in by_file[file] if loss.suite == name] for name, file in there.items()}
    kept = {
        name: [row.acceptance(name) for row in rows]
        for name, rows in record.run.accepted.items()
        if name not in there
    }
    return {**kept, **found} if there else None
