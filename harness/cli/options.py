"""The options that several commands share."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.command_line import OneOf, count, share
from harness.documents.within import Reach
from harness.engine.settings import add_engine_options
from harness.errors import HarnessError, shown_path
from harness.gate.policy import MAX_DROP_OVERALL
from harness.reporting.formats import FORMATS

NAME_ANOTHER = "name another file with --out"
"""The remedy for an output file that cannot be written."""

A_RUN = "a run: its number in the history, 'latest', its record.json, or the folder with that file"
"""The help of an argument that names a run."""


class Subparsers(Protocol):
    """The type of argparse's subparsers."""

    def add_parser(self, name: str, *, help: str, description: str) -> ArgumentParser: ...


class Commands(Protocol):
    """Where a command declares itself."""

    def add_parser(self, name: str, *, help: str) -> ArgumentParser: ...


@dataclass(frozen=True)
class Described:
    """Subparsers whose own help begins with what the list of commands says of them."""

    parsers: Subparsers

    def add_parser(self, name: str, *, help: str) -> ArgumentParser:
        """Declare a command."""
        return self.parsers.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")


def add_suites(parser: ArgumentParser) -> None:
    """Add the suites of a command."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="suite files or folders of them")


def add_retained(parser: ArgumentParser, *, required: bool) -> None:
    """Add the suites of what is to be kept."""
    parser.add_argument(
        "--suite", action="append", required=required, type=Path, default=[], metavar="SUITE",
        help="suite to retain, or a folder of suites (repeatable)",
    )  # fmt: skip


def add_general_sample(parser: ArgumentParser) -> None:
    """Add the sample of these."""
    parser.add_argument(
        "--sample", type=count, metavar="N", help="ask only N of the general probes, spread over the suites"
    )  # fmt: skip


def add_useful(parser: ArgumentParser, what: str) -> None:
    """Add the gain without which a model is of no use.

    Args:
        what: the share of what, for the help.
    """
    parser.add_argument(
        "--useful", type=share, default=0.5, metavar="SHARE", help=f"the share of what {what} (default: 0.5)"
    )


def add_max_drop_overall(parser: ArgumentParser) -> None:
    """Add the margin over all suites of a command that looks for a model within it."""
    parser.add_argument(
        "--max-drop-overall", type=share, default=MAX_DROP_OVERALL, metavar="SHARE",
        help=f"the largest acceptable drop over all suites (default: {MAX_DROP_OVERALL:g})",
    )  # fmt: skip


def add_asking(parser: ArgumentParser, *, template: bool) -> None:
    """Add the options of every command that asks models the probes of suites, and scores their answers.

    Args:
        template: whether it asks two, one perhaps through the template of the other.
    """
    add_engine_options(parser, template=template)
    add_allow_code(parser)
    add_reading(parser)


def add_allow_code(parser: ArgumentParser) -> None:
    """Add the option of every command that scores a model's answers."""
    parser.add_argument(
        "--allow-code", action="store_true", help="let scores run code that a model wrote"
    )  # fmt: skip


def add_reading(parser: ArgumentParser) -> None:
    """Add the options of every command that reads suites, which may name a user's own scores and other files."""
    add_conftest(parser)
    add_allow_outside(parser)
    parser.add_argument(
        "--allow-task-code", action="store_true",
        help="run Python that comes with tasks of lm-evaluation-harness, unconfined",
    )  # fmt: skip


def add_conftest(parser: ArgumentParser) -> None:
    """Add the option that registers a user's own scores."""
    parser.add_argument(
        "--conftest", action="append", type=Path, metavar="FILE",
        help="import this conftest.py first, for the scores and engines it registers (repeatable)",
    )  # fmt: skip


def add_allow_outside(parser: ArgumentParser) -> None:
    """Add the option of every command that reads files that name others."""
    parser.add_argument(
        "--allow-outside", action="store_true",
        help="let suites and recipes name files outside their folder and the working folder",
    )  # fmt: skip


def add_format(parser: ArgumentParser) -> None:
    """Add the form in which a command prints a record."""
    parser.add_argument(
        "--format", type=OneOf(*FORMATS), default="terminal", metavar="FORMAT",
        help=f"output format: {', '.join(FORMATS)} (default: terminal)",
    )  # fmt: skip


def add_force(parser: ArgumentParser) -> None:
    """Add the option of every command whose --out may be taken."""
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")


def check_free(path: Path, force: bool) -> None:
    """Raise HarnessError if the file exists and may not be overwritten."""
    if path.exists() and not force:
        raise HarnessError(f"{shown_path(path)} exists\n  {NAME_ANOTHER}, or overwrite it with --force")


def reach_of(parsed: Namespace) -> Reach:
    """How far the files that a suite or recipe names may lie."""
    return Reach(anywhere=parsed.allow_outside, code=getattr(parsed, "allow_task_code", False))
