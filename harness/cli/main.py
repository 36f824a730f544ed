"""A command line in, one command run, its exit code out. Each command is a module that loads when it is asked for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from harness import __version__
from harness.errors import HarnessError

USAGE = 4
"""Exit code for input that cannot be used, as pytest's."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; input errors are printed as their message and end in exit code 4."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except HarnessError as error:
        print(error, file=sys.stderr)
        return USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m harness",
        description="What surrounds `pytest suites/ --model REF`: check suites, prepare models, show the gate at work.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    lint = commands.add_parser("lint", help="check suite files without a model; every error at once")
    lint.add_argument("files", nargs="+", type=Path, metavar="FILE", help="suite files, or folders of them")
    lint.set_defaults(run=_lint)

    plan = commands.add_parser("plan", help="what the gates of suites can and cannot see; no model is loaded")
    plan.add_argument("files", nargs="+", type=Path, metavar="FILE", help="suite files, or folders of them")
    plan.add_argument(
        "--flip-rate", type=_share, default=0.02, metavar="SHARE",
        help="the answers of an unchanged model that flip by chance, half of them each way (0.02)",
    )  # fmt: skip
    plan.add_argument(
        "--tokens-per-second", type=_speed, default=400.0, metavar="N",
        help="the speed at which time is estimated (400)",
    )  # fmt: skip
    plan.add_argument("--json", action="store_true", help="rows for a program")
    plan.set_defaults(run=_plan)

    embedded = commands.add_parser("embedded", help="convert the embedded model, once, and print its folder")
    embedded.set_defaults(run=_embedded)

    demo = commands.add_parser("demo", help="gate a careless and a careful fine-tune, and compare them")
    demo.set_defaults(run=_demo)
    return parser


def _lint(parsed: argparse.Namespace) -> int:
    from harness.cli.lint import lint

    return lint(parsed.files)


def _plan(parsed: argparse.Namespace) -> int:
    from harness.cli.plan import plan

    return plan(parsed.files, parsed.flip_rate, parsed.tokens_per_second, parsed.json)


def _embedded(parsed: argparse.Namespace) -> int:
    from harness.engine.convert import ensure_embedded
    from harness.models.embedded import embedded_folder

    ensure_embedded(lambda text: print(text, file=sys.stderr))
    print(embedded_folder())
    return 0


def _demo(parsed: argparse.Namespace) -> int:
    from harness.cli.demo import demo

    return demo()


def _share(value: str) -> float:
    """A number from 0 up to, and without, 1."""
    number = _number(value)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to less than 1, saw {value!r}")
    return number


def _speed(value: str) -> float:
    """A number above 0."""
    number = _number(value)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0, saw {value!r}")
    return number


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return float("nan")  # which lies in no range
