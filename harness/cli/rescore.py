"""`rescore`: score the answers of a record and decide its gates again, without a model."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from harness.cli.options import Commands, add_allow_code, add_reading, reach_of
from harness.command_line import OneOf, share_or_off
from harness.errors import shown_path
from harness.reporting.formats import FORMATS
from harness.suites.severity import SEVERITIES
from harness.terminal import show


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("rescore", help="score and decide a record again, without a model")
    parser.add_argument(
        "record", type=Path, metavar="RECORD", help="a record.json, or its folder: reports/latest"
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
        help="least severity that fails (default: the record's)",
    )  # fmt: skip
    parser.add_argument(
        "--max-drop-overall", type=share_or_off, metavar="DROP",
        help="largest acceptable drop over all suites together, such as 0.03, or 'off' (default: the record's)",
    )  # fmt: skip
    parser.add_argument(
        "--format", type=OneOf(*FORMATS), default="terminal", metavar="FORMAT",
        help=f"output format: {' or '.join(FORMATS)} (default: terminal)",
    )  # fmt: skip
    parser.add_argument(
        "--report-html", type=Path, metavar="FILE", help="also write the new record as a page to this file"
    )
    parser.add_argument("--report", type=Path, metavar="DIR", help="write the new record.json to this folder")
    add_allow_code(parser)
    add_reading(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Print the record as decided now; 0, 1 if a gate fails or the recorded run was not whole, 5 if none is decided.

    Raises:
        HarnessError: the record cannot be read or lacks answers, or a suite asks something else.
    """
    from harness.evaluation.rescore import rescored
    from harness.evaluation.suites import read_suites
    from harness.gate.policy import Policy, overall_margin
    from harness.reporting.formats import render
    from harness.reporting.latest import write_page
    from harness.reporting.record import FILE, read_record, write_record
    from harness.spelling import on_command_line

    path = parsed.record / FILE if parsed.record.is_dir() else parsed.record
    record = read_record(path)
    given = parsed.max_drop_overall
    overall = overall_margin(given, otherwise=record.run.max_drop_overall)
    policy = Policy(parsed.strict or record.run.strict, parsed.fail_on or record.run.fail_on, overall)
    suites = read_suites(parsed.suite, reach_of(parsed)) if parsed.suite else ()
    again = rescored(
        record, suites, policy, allow_code=parsed.allow_code, add_overall=given is not None
    )  # fmt: skip
    show(on_command_line(render(again, parsed.format)))
    if parsed.report_html:
        write_page(again, parsed.report_html)
        show(f"page: {shown_path(parsed.report_html)}")
    if parsed.report:
        show(f"record: {shown_path(write_record(again, parsed.report))}")
    assert again.run.exit_status is not None, "a record that was decided again has one"
    return again.run.exit_status
