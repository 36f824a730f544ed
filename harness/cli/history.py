"""`history`: how drop and accuracy went over the runs that were kept."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from contextlib import closing
from pathlib import Path

from harness.cli.options import Commands
from harness.command_line import OneOf, count
from harness.errors import HarnessError, did_you_mean, shown_path
from harness.terminal import show, show_document, stdout_encoding
from harness.visible import visible

DEFAULT = Path("reports") / "history.db"
DAY = 86_400.0


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("history", help="show drop and accuracy over all runs")
    add_history(parser)
    parser.add_argument(
        "--last", type=count, default=20, metavar="N", help="show at most the last N runs (default: 20)"
    )
    parser.add_argument("--suite", metavar="NAME", help="show this suite's drop, not that over all suites")
    parser.add_argument(
        "--format", type=OneOf("terminal", "json"), default="terminal", metavar="FORMAT",
        help="terminal or json (default: terminal)",
    )  # fmt: skip
    parser.add_argument(
        "--prune", type=count, metavar="DAYS", help="first remove the runs that are older than DAYS days"
    )
    parser.set_defaults(run=run)


def add_history(parser: ArgumentParser) -> None:
    """Add the option of every command that reads the history."""
    parser.add_argument(
        "--history",
        type=Path,
        default=DEFAULT,
        metavar="FILE",
        help=f"the file that runs are kept in (default: {DEFAULT})",
    )


def run(parsed: Namespace) -> int:
    """Print the runs; 0.

    Raises:
        HarnessError: there is no history, it cannot be read, or no run of it has the suite.
    """
    from harness.reporting.history.found import open_history
    from harness.reporting.history.trend import LEVELS, as_json, trend_lines
    from harness.reporting.view import can_show

    with closing(open_history(parsed.history)) as history:
        if parsed.prune:
            history.prune(time.time() - parsed.prune * DAY)
        runs = history.runs(parsed.last)
    if parsed.suite is not None:
        names = {gate["suite"] for kept in runs for gate in kept.gates if gate["over"] == "all"}
        if parsed.suite not in names:
            near = did_you_mean(parsed.suite, names) or f"there are: {', '.join(sorted(names)) or 'none'}"
            raise HarnessError(
                f"--suite {visible(parsed.suite)}: none of the runs has a gate over all of it\n  {near}"
            )
    if parsed.format == "json":
        show_document(as_json(runs))
    elif not runs:
        show(f"{shown_path(parsed.history)}: holds no runs")
    else:
        unicode = can_show(stdout_encoding(), LEVELS)
        show("\n".join(trend_lines(runs, parsed.suite, unicode)))
    return 0
