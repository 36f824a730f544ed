"""`blame`: which layers and modules carry what a model forgot, and which training examples push it."""

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
        "blame", help="say which layers, modules and training examples carry what a model forgot"
    )
    parser.add_argument(
        "--model", required=True, metavar="REF", help="tuned model: a folder, a hub id or a recipe"
    )
    parser.add_argument(
        "--baseline", metavar="REF", help="a baseline other than the one that the model names"
    )
    parser.add_argument(
        "--suite", action="append", required=True, type=Path, metavar="SUITE",
        help="suite of what was forgotten, or a folder of suites (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--corpus", type=Path, metavar="FILE",
        help="what the model was trained on, as a recipe or a data file, to find the examples that push the forgetting (default: "
        "that of the recipe, if --model is one)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("reports/blame"), metavar="DIR",
        help="folder of the record, the picture and the page (default: reports/blame)",
    )  # fmt: skip
    parser.add_argument(
        "--sample", type=count, metavar="N", help="ask both models only N of the probes, spread over the suites"
    )  # fmt: skip
    parser.add_argument(
        "--again", type=count, default=60, metavar="N",
        help="probes that each changed model is asked, two thirds of them lost ones (at least 2, default: 60)",
    )  # fmt: skip
    parser.add_argument(
        "--models", type=count, default=32, metavar="N", help="ask at most N changed models (default: 32)"
    )  # fmt: skip
    parser.add_argument(
        "--examples", type=count, default=200, metavar="N",
        help="take gradients of at most N training examples (default: 200)",
    )  # fmt: skip
    add_asking(parser, template=False)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Print what carries the forgetting; 0, or 5 if nothing was lost.

    Raises:
        HarnessError: the input cannot be used.
    """
    from harness.blame.run import BlameOptions, blame

    return blame(
        BlameOptions(
            model=parsed.model,
            baseline=parsed.baseline,
            suites=parsed.suite,
            corpus=parsed.corpus,
            out=parsed.out,
            sample=parsed.sample,
            again=parsed.again,
            models=parsed.models,
            examples=parsed.examples,
            allow_code=parsed.allow_code,
            reach=reach_of(parsed),
            command=tuple(sys.argv[1:]),
        ),
        settings_of(vars(parsed)),
    )
