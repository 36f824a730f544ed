"""The command line as written in, as pytest is to read it out: under which names our options go in this environment.

Each option has three names. `--forgetting-model` is registered, and nobody else has it. `--gate-model` and `--model` are
registered nowhere, so that they meet no other plugin's, whichever loads first: once every conftest.py has had its turn,
they are spelt out as the first, where nobody else has them.
"""

from __future__ import annotations

import argparse
import copy
import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from harness.documents.within import Reach
from harness.plugin.options import OPTIONS, Option, options_of
from harness.spelling import on_command_line

REGISTERED = "--forgetting-"
TAKEN = "another plugin's or a conftest.py's here"


@dataclass(frozen=True)
class Names:
    """Which names are free for our options, and which are somebody else's."""

    free: Mapping[str, Option]
    taken: Mapping[str, Option]

    @classmethod
    def of(cls, parser: pytest.Parser) -> Names:
        """The names as they are now; whatever loads later may take more."""
        names = {name: option for option in OPTIONS for name in option.names}
        taken = {name: option for name, option in names.items() if _is_taken(parser, name, option)}
        return cls({name: option for name, option in names.items() if name not in taken}, taken)

    def best(self, option: str) -> str:
        """The name to tell a user: `--model`, or `--gate-model` where that is somebody else's."""
        return next(
            name
            for name in (f"--{option}", f"--gate-{option}", REGISTERED + option)
            if name not in self.taken
        )

    def hint(self, option: str) -> str:
        """A line that says why the short name of an option is not the one to write; empty where it is."""
        return f"\n  --{option} is {TAKEN}: write {self.best(option)}" if f"--{option}" in self.taken else ""

    def here(self, text: str) -> str:
        """A message of ours that tells which option to write, with the names that are ours here."""
        return re.sub(
            rf"(?<![\w-])(--[a-z-]*[a-z])(?![\w-]|(?: is {re.escape(TAKEN)}))",
            lambda found: self.best(self.taken[found[1]].name) if found[1] in self.taken else found[1],
            on_command_line(text),
        )

    def spelt_out(self, arguments: Iterable[str]) -> list[str]:
        """The same arguments under the names that are registered; what follows `--` is no option."""
        spelt: list[str] = []
        rest = from_files(arguments)
        for argument in rest:
            name, equals, value = argument.partition("=")
            option = self.free.get(name)
            spelt.append(f"{REGISTERED}{option.name}{equals}{value}" if option else argument)
            if argument == "--":
                break
        return [*spelt, *rest]

    def unread(self, arguments: Iterable[str]) -> list[str]:
        """What the user should hear of options that are written by a name that is somebody else's alone."""
        written = set(_written(arguments))
        return [
            f"{name} is {TAKEN}, and the gate did not read it: write {self.best(option.name)}"
            for name, option in self.taken.items()
            if name in written
            and written.isdisjoint({REGISTERED + option.name, *option.names} - self.taken.keys())
        ]


NAMES: pytest.StashKey[Names] = pytest.StashKey()
UNREAD: pytest.StashKey[Sequence[str]] = pytest.StashKey()


def names_of(config: pytest.Config) -> Names:
    """The names as they were when all that could take one had loaded."""
    return config.stash.get(NAMES, Names({}, {}))


def name_a_model(config: pytest.Config) -> str:
    """What to do where a run needs a model."""
    names = names_of(config)
    how = "PATH_OR_HUB_ID (a folder, a PEFT adapter, org/name, or a fixture file)"
    return f"  name it: {names.best('model')} {how}{names.hint('model')}"


def reach_of(config: pytest.Config) -> Reach:
    """Where the files that a suite or a recipe names may lie: in pytest's rootdir, unless the user allows all."""
    allowed = options_of(config).allow_outside
    return Reach(config.rootpath, allowed)


# Steps, in their order


def add_options(parser: pytest.Parser, config: pytest.Config, late: bool) -> None:
    """Register the options; also by the names that the command line has, where it is too `late` to spell them out."""
    group = parser.getgroup("forgetting", "forgetting gate")
    for option in OPTIONS:
        about = option.help if late else argparse.SUPPRESS
        group.addoption(REGISTERED + option.name, dest=option.dest, help=about, **option.keywords)
    if late:
        names = config.stash[NAMES] = Names.of(parser)
        _register(parser, names, set(_written(arguments_of(config))))


def find_paths(parser: pytest.Parser, config: pytest.Config, arguments: Sequence[str]) -> bool:
    """Keep pytest from taking the value of an option for a path of tests, whose conftest.py it would run.

    False where an option has a value that it cannot have, and that a conftest.py's option of its name may well have.
    """
    try:
        _understand(parser, config, Names.of(parser).spelt_out(arguments))
    except pytest.UsageError:
        return False
    return True


def spell_out(parser: pytest.Parser, config: pytest.Config, arguments: list[str]) -> None:
    """Rewrite the command line, in place as pytest allows, under the names that are registered.

    Raises:
        pytest.UsageError: a value that an option cannot have, told under the name that was written.
    """
    names = config.stash[NAMES] = Names.of(parser)
    config.stash[UNREAD] = names.unread(arguments)
    spelt = names.spelt_out(arguments)
    if config.known_args_namespace.help:
        _register(parser, names, names.free)
    else:
        try:
            _understand(parser, config, spelt)
        except pytest.UsageError as error:
            raise pytest.UsageError(_as_written(str(error), names, arguments)) from None
    arguments[:] = spelt


def arguments_of(config: pytest.Config) -> Iterator[str]:
    """All arguments, wherever they come from; those of an ini file only once it was read."""
    yield from environment_arguments()
    with suppress(ValueError):
        yield from config.getini("addopts")
    yield from config.invocation_params.args


def environment_arguments() -> list[str]:
    """What comes to the arguments from the environment."""
    return shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))


# Inside


def _understand(parser: pytest.Parser, config: pytest.Config, spelt: Sequence[str]) -> None:
    """Correct what pytest knows of its paths and our options before it reads the whole command line."""
    read = parser.parse_known_args(spelt, copy.copy(config.option))
    known = ("file_or_dir", *(option.dest for option in OPTIONS))
    vars(config.known_args_namespace).update({name: getattr(read, name) for name in known})


def _is_taken(parser: pytest.Parser, name: str, option: Option) -> bool:
    """Whether a name is somebody else's.

    Neither pytest nor argparse has a public way to ask: `Config.getoption` knows no option without a default before the
    command line is parsed, and to parse one would run its action.
    """
    action = parser.optparser._option_string_actions.get(name)
    return action is not None and action.dest != option.dest


def _register(parser: pytest.Parser, names: Names, wanted: Iterable[str]) -> None:
    """Register free names after all: for `--help`, after which nothing loads any more, or where it is late."""
    group = parser.getgroup("forgetting")
    for option in OPTIONS:
        free = [name for name in option.names if name in names.free and name in wanted]
        taken = "".join(f"; {name} is {TAKEN}" for name in option.names if name in names.taken)
        if free:
            group.addoption(*free, dest=option.dest, help=option.help + taken, **option.keywords)


def _as_written(message: str, names: Names, arguments: Iterable[str]) -> str:
    for name in _written(arguments):
        if option := names.free.get(name):
            message = message.replace(f"argument {REGISTERED}{option.name}:", f"argument {name}:")
    return message


def _written(arguments: Iterable[str]) -> Iterator[str]:
    """The names of options that are written, and whatever else is."""
    return (argument.partition("=")[0] for argument in takewhile("--".__ne__, from_files(arguments)))


def from_files(arguments: Iterable[Any]) -> Iterator[str]:
    """The arguments, with those of a file in the place of `@FILE`, as argparse reads them."""
    for argument in map(os.fspath, arguments):
        lines = None
        if argument.startswith("@"):
            with suppress(OSError, ValueError):  # argparse says so
                lines = Path(argument[1:]).read_text(encoding=sys.getfilesystemencoding()).splitlines()
        if lines is None:
            yield argument
        else:
            yield from from_files(lines)
