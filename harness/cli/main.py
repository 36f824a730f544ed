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

    embedded = commands.add_parser("embedded", help="convert the embedded model, once, and print its folder")
    embedded.set_defaults(run=_embedded)

    demo = commands.add_parser("demo", help="gate a careless and a careful fine-tune, and compare them")
    demo.set_defaults(run=_demo)
    return parser


def _lint(parsed: argparse.Namespace) -> int:
    from harness.cli.lint import lint

    return lint(parsed.files)


def _embedded(parsed: argparse.Namespace) -> int:
    from harness.engine.convert import ensure_embedded
    from harness.models.embedded import embedded_folder

    ensure_embedded(lambda text: print(text, file=sys.stderr))
    print(embedded_folder())
    return 0


def _demo(parsed: argparse.Namespace) -> int:
    from harness.cli.demo import demo

    return demo()
