"""`ladder`: train recipes and rank them by forgetting at matched gain."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator
from pathlib import Path

from harness.cli.options import Commands, add_asking, add_general_sample, add_retained, reach_of
from harness.command_line import seeds, share
from harness.engine.settings import ENGINE_OPTIONS, settings_of
from harness.errors import HarnessError
from harness.spelling import option


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "ladder", help="train recipes for one task and rank them by forgetting at matched gain"
    )
    parser.add_argument(
        "recipes", nargs="*", type=Path, metavar="RECIPE", help="recipes of one base and target"
    )
    add_retained(parser, required=False)
    parser.add_argument(
        "--seeds", type=seeds, default=(), metavar="N,M", help="train each recipe under each seed (default: its own)"
    )  # fmt: skip
    parser.add_argument(
        "--vary", action="append", type=_varied, default=[], metavar="KEY=A,B",
        help="train each recipe that has KEY, such as ewc.importance, once with each value (repeatable)",
    )  # fmt: skip
    add_general_sample(parser)
    parser.add_argument(
        "--matched", type=share, metavar="SHARE",
        help="rank by drop, except for recipes shown to learn less than this share of the largest gain (default: 0.9)",
    )  # fmt: skip
    parser.add_argument(
        "--from", dest="reference", metavar="NAME",
        help="recipe to compare the others with (default: of those that learn, the one that forgets most)",
    )  # fmt: skip
    parser.add_argument(
        "--report", type=Path, default=Path("reports/ladder"), metavar="DIR",
        help="folder of the record and its pages; an interrupted ladder resumes from it (default: reports/ladder)",
    )  # fmt: skip
    parser.add_argument(
        "--render", nargs="?", type=Path, const=True, metavar="DIR",
        help="only render the record in DIR (default: --report) again, with --matched and --from if given",
    )  # fmt: skip
    add_asking(parser, template=False)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Train and rank recipes, or render their record again; 0, or 1 if a recipe failed.

    Raises:
        HarnessError: the input cannot be used.
        NoEvidenceError: no recipe is shown to learn its task.
    """
    from harness.sweep.run import render, sweep
    from harness.sweep.schedule import SweepOptions
    from harness.sweep.vary import Varied

    options = SweepOptions(
        recipes=parsed.recipes,
        suites=parsed.suite,
        report=parsed.render if isinstance(parsed.render, Path) else parsed.report,
        seeds=parsed.seeds,
        sample=parsed.sample,
        matched=parsed.matched,
        reference=parsed.reference,
        allow_code=parsed.allow_code,
        vary=tuple(Varied(key, values) for key, values in parsed.vary),
        reach=reach_of(parsed),
        command=tuple(sys.argv[1:]),
    )
    if parsed.render is None:
        return sweep(options, settings_of(vars(parsed)))
    if parsed.recipes:
        raise HarnessError(
            f"--render takes no recipes, since it trains nothing: saw {', '.join(map(str, parsed.recipes))}"
        )
    if idle := ", ".join(map(option, _of_training(parsed))):
        raise HarnessError(
            f"{idle}: would do nothing with {option('render')}, which trains nothing\n"
            f"  leave that out, or leave {option('render')} out to measure anew"
        )
    return render(options)


def _of_training(parsed: Namespace) -> Iterator[str]:
    """The options given that say what to train and ask."""
    defaults = {each.key: each.keywords.get("default") for each in ENGINE_OPTIONS}
    for name in ("suite", "seeds", "vary", "sample", "allow_code", *defaults):
        value = getattr(parsed, name, None)
        if value and value != defaults.get(name):
            yield name


def _varied(value: str) -> tuple[str, tuple[int | float | str, ...]]:
    """A key of recipes and the values to try: `ewc.importance=100,1000`."""
    key, _, values = value.partition("=")
    written = values.split(",")
    if not all((*key.split("."), *written)) or len(set(written)) < len(written):
        raise ArgumentTypeError(
            f"must be a key and different values, such as ewc.importance=100,1000, saw {value!r}"
        )
    return key, tuple(map(_scalar, written))


def _scalar(text: str) -> int | float | str:
    """A whole number, a number, or a text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
