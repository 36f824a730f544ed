"""`compare`: which gates and probes changed between runs, and whether that is more than noise."""

from __future__ import annotations

from argparse import Namespace
from itertools import pairwise

from harness.cli.history import add_history
from harness.cli.options import A_RUN, Commands
from harness.errors import HarnessError
from harness.terminal import show


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "compare", help="say what changed between runs, and whether it is more than noise"
    )
    parser.add_argument(
        "runs", nargs="+", metavar="RUN",
        help=f"two or more runs, each compared with the one before; {A_RUN}",
    )  # fmt: skip
    add_history(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Print what changed; 0.

    Raises:
        HarnessError: there are fewer than two runs, or one cannot be found or read.
    """
    from harness.reporting.history.changes_text import changes_lines
    from harness.reporting.history.compare import changes_between
    from harness.reporting.history.found import find_run

    if len(parsed.runs) < 2:
        raise HarnessError("compare: needs two runs\n  name both, the earlier one first: compare 3 latest")
    found = [find_run(named, parsed.history) for named in parsed.runs]
    for number, (before, after) in enumerate(pairwise(found)):
        if number:
            show()
        show("\n".join(changes_lines(before, after, changes_between(before.record, after.record))))
    return 0
