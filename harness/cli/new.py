"""`new`: a name and a few options in, a new suite file out.

What no option says is asked for, where there is someone to answer; else it has a default.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from harness.cli.options import Commands
from harness.errors import HarnessError
from harness.terminal import say, show
from harness.writing import write_wanted


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "new", help="write a new suite with example probes; asks for what no option says"
    )
    parser.add_argument("name", metavar="NAME", help="the suite's name")
    parser.add_argument("--about", help="what it protects, in a sentence")
    parser.add_argument("--severity", help="critical, high, medium or low (high)")
    parser.add_argument("--answer", help="what a model does: generate, choose or likelihood (generate)")
    parser.add_argument("--score", help="what makes an answer right (mentions)")
    parser.add_argument("--categories", metavar="A,B", help="names of categories")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write it (suites/NAME.yaml)")
    parser.add_argument("--force", action="store_true", help="overwrite a file")
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Write a new suite; 0.

    Raises:
        HarnessError: an option cannot have its value, the file is there already, or an installed score cannot be loaded.
    """
    from harness.authoring.new_suite import NewSuiteOptions, completed, new_path, suite_text
    from harness.scoring import load_scorers
    from harness.suites.read import read_suite

    path = new_path(parsed.name, parsed.out)
    if path.exists() and not parsed.force:
        raise HarnessError(f"{path}: is there already\n  choose another --out, or overwrite it with --force")
    options = NewSuiteOptions(
        parsed.name, parsed.about, parsed.severity, parsed.answer, parsed.score, parsed.categories
    )
    options = completed(options, _ask if sys.stdin.isatty() else None)
    write_wanted(path, suite_text(options, path), "name another place: --out FILE")
    suite = read_suite(path, load_scorers())
    show(f"{path}: {len(suite.probes)} example probes to put yours in the place of")
    show(f"next: python -m harness preview {path}")
    return 0


def _ask(question: str, default: str) -> str:
    """The answer of whoever sits at the terminal; raises HarnessError when they leave."""
    shown = f"{question} [{default}]: " if default else f"{question}: "
    try:
        return input(shown).strip() or default
    except EOFError as error:
        say("")
        raise HarnessError("nothing was written") from error
