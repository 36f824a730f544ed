"""Run one command. Each command is a module of this room, and light until it runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from harness import __version__
from harness.cli import (
    accept,
    advise,
    blame,
    calibrate,
    compare,
    demo,
    diagnose,
    doctor,
    embedded,
    equal,
    history,
    init,
    ladder,
    lint,
    new,
    plan,
    preview,
    repair,
    rescore,
    schema,
    sequence,
    show,
    store,
    tune,
)
from harness.cli.conftests import import_conftests
from harness.cli.options import Described
from harness.command_line import file_or_folder, text
from harness.engine.sharing import wait_briefly
from harness.errors import HarnessError, RecipeError, SuiteError, paths_explained
from harness.terminal import CLOSED, STOPPED, say, take_any_text, write_out
from harness.versions import needed

COMMANDS = (
    init, new, lint, preview, plan, calibrate, rescore, diagnose, accept, history, compare, show, equal, advise, ladder, tune, repair, blame, sequence, schema, store, doctor, embedded, demo,
)  # fmt: skip
"""In the order of `--help`. Importing one loads only what its options need; it imports the rest when it runs."""

UNREADABLE = 2
"""Exit code for a suite or recipe that cannot be read, as in pytest."""

SCRIPT = "forgetting-gate"
"""The console script of all commands."""

USAGE = 4
"""Exit code for other input that cannot be used, as in pytest."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; input errors are printed and return 4, or 2 for a suite or a recipe.

    Ctrl-C returns 130, and a closed pipe, such as after `| head`, 141, as in other tools.
    """
    take_any_text()
    wait_briefly()
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        with suppress(BrokenPipeError):
            say("stopped")
        return STOPPED
    except BrokenPipeError:
        return CLOSED


def command_line() -> argparse.ArgumentParser:
    """The parser of all commands; its Namespace has the `run` of the chosen one."""
    parser = _Parser(
        prog=_program(),
        description="Companion commands of `pytest suites/ --model=REF`: write and check suites, prepare models, compare recipes.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = Described(parser.add_subparsers(required=True, metavar="COMMAND"))
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


def _program() -> str:
    """The name by which this process was started: the console script's, or Python's."""
    name = Path(sys.argv[0]).stem
    return SCRIPT if name == SCRIPT else "python -m harness"


def _run(arguments: Sequence[str] | None) -> int:
    try:
        parsed = _parsed(arguments)
        import_conftests(getattr(parsed, "conftest", None) or ())
        with needed(), paths_explained():
            code = int(parsed.run(parsed))
        write_out()
        return code
    except HarnessError as error:
        say(error.on_command_line)
        return UNREADABLE if isinstance(error, SuiteError | RecipeError) else USAGE


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    try:
        return command_line().parse_args(arguments)
    except SystemExit:  # after --help, --version or a usage error
        write_out()
        raise


class _Parser(argparse.ArgumentParser):
    """A parser that takes no empty text or path, and whose usage errors exit with 4, as pytest's do.

    The parsers of its commands are of this class too.
    """

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.register("type", None, text)
        self.register("type", Path, file_or_folder)

    def add_subparsers(self, **keywords: Any) -> Any:
        self.register("type", None, str)  # the arguments of a command are its own parser's to judge
        return super().add_subparsers(**keywords)

    def error(self, message: str) -> NoReturn:
        say(f"{self.format_usage()}{self.prog}: {message}")
        self.exit(USAGE)
