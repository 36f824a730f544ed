"""A command line in, one command run, its exit code out. Each command is a module of this room, light until it runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from harness import __version__
from harness.cli import (
    advise,
    calibrate,
    demo,
    doctor,
    embedded,
    import_lm_eval,
    ladder,
    lint,
    new,
    plan,
    preview,
    rescore,
    schema,
)
from harness.cli.conftests import import_conftests
from harness.errors import HarnessError, RecipeError, SuiteError
from harness.terminal import CLOSED, STOPPED, say, take_any_text, write_out
from harness.versions import needed

COMMANDS = (
    lint, plan, calibrate, new, preview, rescore, schema, import_lm_eval, doctor, embedded, ladder, advise, demo,
)  # fmt: skip
"""In the order of `--help`. Importing one loads what its options need; what it runs with it imports when it runs."""

UNREADABLE = 2
"""Exit code for a suite that cannot be read, as pytest's."""

USAGE = 4
"""Exit code for other input that cannot be used, as pytest's."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; input errors are printed as their message and end in exit code 4, or 2 for those of a suite or a recipe.

    Ctrl-C ends in 130, and a pipe that is closed, such as after `| head`, in 141, as of other tools.
    """
    take_any_text()
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        with suppress(BrokenPipeError):
            say("stopped")
        return STOPPED
    except BrokenPipeError:
        return CLOSED


def command_line() -> argparse.ArgumentParser:
    """The parser of all commands; the Namespace that it makes has the `run` of the one that was asked for."""
    parser = _Parser(
        prog="python -m harness",
        description="What surrounds `pytest suites/ --model REF`: check suites, prepare models, show the gate at work.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


def _run(arguments: Sequence[str] | None) -> int:
    try:
        parsed = _parsed(arguments)
        import_conftests(getattr(parsed, "conftest", None) or ())
        with needed():
            code = int(parsed.run(parsed))
        write_out()
        return code
    except HarnessError as error:
        say(error.on_command_line)
        return UNREADABLE if isinstance(error, SuiteError | RecipeError) else USAGE


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    try:
        return command_line().parse_args(arguments)
    except SystemExit:  # after --help or --version, or for what argparse does not take
        write_out()
        raise


class _Parser(argparse.ArgumentParser):
    """A parser that ends in the exit code for what cannot be used, as pytest does; its commands' parsers are of this class too."""

    def error(self, message: str) -> NoReturn:
        say(f"{self.format_usage()}{self.prog}: {message}")
        self.exit(USAGE)
