"""The options that several commands share, and what their values mean."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Protocol

from harness.documents.within import Reach


class Commands(Protocol):
    """What argparse gives for the commands of a parser."""

    def add_parser(self, name: str, *, help: str) -> ArgumentParser: ...


def add_suites(parser: ArgumentParser, metavar: str = "FILE") -> None:
    """The suites that a command is about."""
    parser.add_argument(
        "files", nargs="+", type=Path, metavar=metavar, help="suite files, or folders of them"
    )


def add_allow_code(parser: ArgumentParser) -> None:
    """The option of every command that scores what a model answers."""
    parser.add_argument(
        "--allow-code", action="store_true", help="run code that a model writes, where a score does"
    )


def add_reading(parser: ArgumentParser) -> None:
    """The options of every command that reads suites, which may name a user's own scores and other files."""
    add_conftest(parser)
    add_allow_outside(parser)


def add_conftest(parser: ArgumentParser) -> None:
    """The option by which a user's own scores are known."""
    parser.add_argument(
        "--conftest", action="append", type=Path, metavar="FILE",
        help="import this conftest.py first, for the scores and engines that it registers (may be given again)",
    )  # fmt: skip


def add_allow_outside(parser: ArgumentParser) -> None:
    """The option of every command that reads files which name others."""
    parser.add_argument(
        "--allow-outside", action="store_true",
        help="read files that a suite or a recipe names outside its folder and the working folder",
    )  # fmt: skip


def reach_of(parsed: Namespace) -> Reach:
    """Where the files that others name may lie."""
    return Reach(anywhere=parsed.allow_outside)
