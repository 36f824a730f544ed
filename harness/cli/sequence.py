"""`sequence`: tune recipes one after another, and measure what later tasks do to earlier ones."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from harness.cli.options import Commands, add_asking, reach_of
from harness.command_line import count
from harness.engine.settings import settings_of


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "sequence", help="tune recipes one after another, and say what later tasks do to earlier ones"
    )
    parser.add_argument(
        "recipes", nargs="+", type=Path, metavar="RECIPE",
        help="recipes in the order of training, each with a target of its own; each continues from the previous model",
    )  # fmt: skip
    parser.add_argument(
        "--suite", action="append", type=Path, default=[], metavar="SUITE",
        help="suite to retain, gated after each recipe, or a folder of suites (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--sample", type=count, metavar="N",
        help="ask only N of the probes of --suite, spread over the suites",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("reports/sequence"), metavar="DIR",
        help="folder of the record and its pages (default: reports/sequence)",
    )  # fmt: skip
    add_asking(parser, template=False)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Train and measure the recipes; 0, 1 if a gate failed after one of them, 5 if none decided anything.

    Raises:
        HarnessError: the input cannot be used, or a recipe cannot be trained.
    """
    from harness.sequence.run import sequence
    from harness.sequence.schedule import SequenceOptions

    return sequence(
        SequenceOptions(
            recipes=parsed.recipes,
            suites=parsed.suite,
            out=parsed.out,
            sample=parsed.sample,
            allow_code=parsed.allow_code,
            reach=reach_of(parsed),
            command=tuple(sys.argv[1:]),
        ),
        settings_of(vars(parsed)),
    )
