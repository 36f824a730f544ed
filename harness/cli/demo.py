"""`demo`: show the gate at work on two fine-tunes, or why forgetting happens, in an experiment of seconds."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from harness.cli.options import Commands
from harness.errors import HarnessError


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "demo", help="gate a careless and a careful fine-tune, or show why forgetting happens"
    )
    parser.add_argument(
        "what", nargs="?", choices=("gate", "mechanism"), default="gate", help="demo to show (default: gate)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE",
        help="plot that `mechanism` draws, an .svg or .png (default: reports/mechanism.svg)",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Show one demo; 0, or 1 if the gate did not tell the fine-tunes apart.

    Raises:
        HarnessError: a run broke, the plot cannot be written, or the working folder has no suites and fixtures.
    """
    if parsed.what == "mechanism":
        from harness.cli.demo_mechanism import mechanism

        return mechanism(parsed.out or Path("reports/mechanism.svg"))
    if parsed.out:
        raise HarnessError("--out is the plot of `demo mechanism`; `demo gate` draws none")
    from harness.cli.demo_gate import gate

    return gate()
