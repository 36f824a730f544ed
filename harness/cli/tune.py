"""`tune`: train on a corpus, the least costly recipe first, until a model has learnt enough and passes the gate."""

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
from harness.command_line import positive, seed
from harness.engine.settings import settings_of


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "tune", help="train on a corpus until a model has learnt it and passes the gate, the least costly recipe first"
    )  # fmt: skip
    parser.add_argument(
        "base", metavar="BASE", help="the model to tune: a folder, a hub id, or embedded"
    )  # fmt: skip
    parser.add_argument("corpus", type=Path, metavar="CORPUS", help="prompts and answers to train on")
    parser.add_argument(
        "--target", required=True, type=Path, metavar="SUITE", help="the suite that measures what is learnt"
    )  # fmt: skip
    add_retained(parser, required=True)
    parser.add_argument(
        "--budget", type=positive, metavar="MINUTES", help="start no further recipe after about this long"
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("tuned"), metavar="DIR",
        help="folder of the model, its report and the ladder; the same command goes on from it (default: tuned)",
    )  # fmt: skip
    parser.add_argument(
        "--general", type=Path, metavar="FILE",
        help="general questions, none of them in the suites: a quarter of the data is then these with the base's own answers, "
        "in the first recipe that holds back forgetting",
    )  # fmt: skip
    add_general_sample(parser)
    parser.add_argument(
        "--seed", type=seed, default=0, metavar="N",
        help="seed of the trainings, of the sample and of its halves, of which one chooses and one confirms (default: 0)",
    )  # fmt: skip
    add_useful(parser, "the base misses on the target that must be learnt")
    add_max_drop_overall(parser)
    add_asking(parser, template=False)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Tune; 0, 1 if no model learns enough and passes, 5 if nothing could be decided.

    Raises:
        HarnessError: the input cannot be used.
    """
    from harness.tune.run import tune
    from harness.tune.schedule import TuneOptions

    options = TuneOptions(
        base=parsed.base,
        corpus=parsed.corpus,
        target=parsed.target,
        suites=parsed.suite,
        out=parsed.out,
        general=parsed.general,
        budget=parsed.budget,
        sample=parsed.sample,
        seed=parsed.seed,
        useful=parsed.useful,
        margin=parsed.max_drop_overall,
        allow_code=parsed.allow_code,
        reach=reach_of(parsed),
        command=tuple(sys.argv[1:]),
    )
    return tune(options, settings_of(vars(parsed)))
