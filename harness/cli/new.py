"""`new`: write a new suite. In a terminal it asks for the options that are not given; elsewhere they have defaults."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from pathlib import Path

from harness.cli.options import NAME_ANOTHER, Commands, add_force, check_free
from harness.errors import HarnessError
from harness.terminal import say, show
from harness.writing import write_wanted


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("new", help="write a new suite with example probes")
    parser.add_argument("name", metavar="NAME", help="name of the suite")
    parser.add_argument("--about", metavar="TEXT", help="what the suite protects, in a sentence")
    parser.add_argument("--severity", help="critical, high, medium or low (default: high)")
    parser.add_argument("--answer", help="generate, choose or likelihood (default: generate)")
    parser.add_argument("--score", help="the score that judges answers (default: mentions)")
    parser.add_argument("--categories", metavar="A,B", help="names of categories")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="suite file to write (default: suites/NAME.yaml)"
    )
    add_force(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Write a new suite; 0.

    Raises:
        HarnessError: an option has an invalid value, the file exists, or an installed score cannot be loaded.
    """
    from harness.authoring.new_suite import NewSuiteOptions, completed, new_path, suite_text
    from harness.scoring import load_scorers
    from harness.suites.read import read_suite

    path = new_path(parsed.name, parsed.out)
    check_free(path, parsed.force)
    options = NewSuiteOptions(
        parsed.name, parsed.about, parsed.severity, parsed.answer, parsed.score, parsed.categories
    )
    options = completed(options, _ask if sys.stdin.isatty() else None)
    write_wanted(path, suite_text(options, path), NAME_ANOTHER)
    suite = read_suite(path, load_scorers())
    show(f"{path}: {len(suite.probes)} example probes for you to replace")
    show(f"next: python -m harness preview {shlex.quote(str(path))}")
    return 0


def _ask(question: str, default: str) -> str:
    """The author's answer; raises HarnessError at end of input."""
    shown = f"{question} [{default}]: " if default else f"{question}: "
    try:
        return input(shown).strip() or default
    except EOFError as error:
        say("")
        raise HarnessError("nothing was written") from error
