"""`ladder`: recipes and suites in, the recipes trained and ranked by what they forget at matched gain, out."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from harness.cli.options import Commands, add_allow_code, add_reading, reach_of
from harness.command_line import count, seeds, share
from harness.engine.options import add_engine_options, settings_of
from harness.errors import HarnessError


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "ladder", help="train recipes for one task, and rank them by what they forget at matched gain"
    )
    parser.add_argument(
        "recipes", nargs="*", type=Path, metavar="RECIPE", help="recipes of one base and one target"
    )
    parser.add_argument(
        "--suite", action="append", type=Path, default=[], metavar="SUITE",
        help="what must be kept: a suite file, or a folder of them (may be given again)",
    )  # fmt: skip
    parser.add_argument(
        "--seeds", type=seeds, default=(), metavar="N,M", help="train each recipe under each of these (its own)"
    )  # fmt: skip
    parser.add_argument(
        "--sample", type=count, metavar="N", help="ask only N of the general probes, each suite with its share"
    )  # fmt: skip
    parser.add_argument(
        "--matched", type=share, metavar="SHARE",
        help="drops are compared from this share of the largest gain on (0.9)",
    )  # fmt: skip
    parser.add_argument(
        "--from", dest="reference", metavar="NAME",
        help="the recipe that the others are held against (of those that learn, the one that forgets most)",
    )  # fmt: skip
    parser.add_argument(
        "--report", type=Path, default=Path("reports/ladder"), metavar="DIR",
        help="where record and pages are written, and where a ladder that was killed goes on (reports/ladder)",
    )  # fmt: skip
    parser.add_argument(
        "--render", nargs="?", type=Path, const=True, metavar="DIR",
        help="only render the pages of the record in DIR (or in --report's) again, by --matched and --from if given",
    )  # fmt: skip
    add_engine_options(parser, template=False)
    add_allow_code(parser)
    add_reading(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Climb the ladder, or render its record again; 0, or 1 if a recipe failed.

    Raises:
        HarnessError: the input cannot be used; as NoEvidenceError, no recipe has shown to learn its task.
    """
    from harness.sweep.run import ladder, render
    from harness.sweep.schedule import SweepOptions

    options = SweepOptions(
        recipes=parsed.recipes,
        suites=parsed.suite,
        report=parsed.render if isinstance(parsed.render, Path) else parsed.report,
        seeds=parsed.seeds,
        sample=parsed.sample,
        matched=parsed.matched,
        reference=parsed.reference,
        allow_code=parsed.allow_code,
        reach=reach_of(parsed),
        command=tuple(sys.argv[1:]),
    )
    if parsed.render is None:
        return ladder(options, settings_of(vars(parsed)))
    if parsed.recipes:
        raise HarnessError(
            "--render reads a record and trains nothing, so it takes no recipes: "
            f"saw {', '.join(map(str, parsed.recipes))}"
        )
    return render(options)
