"""`repair`: shrink what tuning changed, without training, until the gate passes."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from harness.cli.options import (
    Commands,
    add_asking,
    add_general_sample,
    add_max_drop_overall,
    add_retained,
    add_useful,
    reach_of,
)
from harness.command_line import positive, whole
from harness.engine.settings import settings_of


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "repair", help="shrink what tuning changed, without training, until the gate passes"
    )
    parser.add_argument(
        "--model", required=True, metavar="REF",
        help="the tuned model: a folder with an adapter or a full model, a hub id, or a recipe",
    )  # fmt: skip
    parser.add_argument(
        "--baseline", metavar="REF", help="the model before tuning (default: the one that the model names)"
    )  # fmt: skip
    parser.add_argument(
        "--target", required=True, type=Path, metavar="SUITE", help="the suite that measures what was learnt"
    )  # fmt: skip
    add_retained(parser, required=True)
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder to write, which must not exist"
    )  # fmt: skip
    parser.add_argument(
        "--budget", type=positive, metavar="MINUTES", help="try no further candidate after about this long"
    )  # fmt: skip
    add_general_sample(parser)
    parser.add_argument(
        "--seed", type=whole, default=0, metavar="N",
        help="seed of the sample and of its halves, of which one chooses and one confirms (default: 0)",
    )  # fmt: skip
    add_useful(parser, "tuning gained on the target that must stay")
    add_max_drop_overall(parser)
    parser.add_argument("--strict", action="store_true", help="every gate must be RETAINED")
    parser.add_argument(
        "--no-merge", action="store_true",
        help="write an adapter or nothing: try no candidate that would have to be merged into its base",
    )  # fmt: skip
    add_asking(parser, template=True)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Repair a model; 0, 1 if nothing passes, 5 if nothing could be decided.

    Raises:
        HarnessError: the input cannot be used.
    """
    from harness.repair.run import repair
    from harness.repair.schedule import RepairOptions

    options = RepairOptions(
        model=parsed.model,
        target=parsed.target,
        suites=parsed.suite,
        out=parsed.out,
        baseline=parsed.baseline,
        sample=parsed.sample,
        seed=parsed.seed,
        budget=parsed.budget,
        useful=parsed.useful,
        margin=parsed.max_drop_overall,
        strict=parsed.strict,
        merge=not parsed.no_merge,
        allow_code=parsed.allow_code,
        reach=reach_of(parsed),
        command=tuple(sys.argv[1:]),
    )
    return repair(options, settings_of(vars(parsed)))
