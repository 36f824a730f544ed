"""`show`: render the record of any run again, in any form."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from harness.cli.history import add_history
from harness.cli.options import A_RUN, NAME_ANOTHER, Commands, add_force, add_format, check_free
from harness.errors import shown_path
from harness.terminal import show, show_document


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("show", help="render the record of a run again, in any form")
    parser.add_argument("named", metavar="RUN", help=A_RUN)
    add_format(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it to this file (default: print it)")
    add_force(parser)
    add_history(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Print the record, or write it to a file; 0, whatever the run came to.

    Raises:
        HarnessError: the run cannot be found or read, or the file exists or cannot be written.
    """
    from harness.reporting.formats import render
    from harness.reporting.history.found import find_run
    from harness.spelling import on_command_line
    from harness.writing import write_wanted

    if parsed.out is not None:
        check_free(parsed.out, parsed.force)
    text = on_command_line(render(find_run(parsed.named, parsed.history).record, parsed.format))
    if parsed.out is None:
        (show if parsed.format == "terminal" else show_document)(text)
    else:
        write_wanted(parsed.out, text if text.endswith("\n") else text + "\n", NAME_ANOTHER)
        show(f"written: {shown_path(parsed.out)}")
    return 0
