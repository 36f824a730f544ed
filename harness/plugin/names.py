"""Resolve the names of our options, which other plugins and conftest.py files may have taken.

Each option has three names. `--forgetting-model` is registered with pytest, and unique. `--gate-model` and `--model` are not
registered, so they conflict with no other plugin's, whichever loads first: once every conftest.py has loaded, those that
nobody else registered are replaced by the unique name on the command line.
"""

from __future__ import annotations

import argparse
import copy
import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from harness.documents.within import Reach
from harness.errors import HarnessError, paths_explained
from harness.plugin.option_list import OPTIONS, Option
from harness.plugin.options import RUN_OPTIONS
from harness.spelling import on_command_line
from harness.versions import needed

REGISTERED = "--forgetting-"
TAKEN = "another plugin's or a conftest.py's here"


@dataclass(frozen=True)
class Names:
    """The short names that are free for our options, and those that others have taken."""

    free: Mapping[str, Option]
    taken: Mapping[str, Option]

    @classmethod
    def of(cls, parser: pytest.Parser) -> Names:
        """The names at this moment; a plugin that loads later may take more."""
        names = {name: option for option in OPTIONS for name in option.names}
        taken = {name: option for name, option in names.items() if _is_taken(parser, name, option)}
        return cls({name: option for name, option in names.items() if name not in taken}, taken)

    def best(self, option: str) -> str:
        """The shortest free name of an option: `--model`, or `--gate-model` where that is taken."""
        return next(
            name
            for name in (f"--{option}", f"--gate-{option}", REGISTERED + option)
            if name not in self.taken
        )

    def here(self, text: str) -> str:
        """A message with each of our options under its best name here."""
        return re.sub(
            rf"(?<![\w-])(--[a-z-]*[a-z])(?![\w-]|(?: is {re.escape(TAKEN)}))",
            lambda found: self.best(self.taken[found[1]].name) if found[1] in self.taken else found[1],
            on_command_line(text),
        )

    def spelt_out(self, arguments: Iterable[str]) -> list[str]:
        """The arguments with our options under their registered names; nothing after `--` is an option."""
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
        """Notes on options that were written under a taken name, and so went to its owner alone."""
        written = set(_written(arguments))
        return [
            f"{name} is {TAKEN}, and the gate did not read it: write {self.best(option.name)}"
            for name, option in self.taken.items()
            if name in written
            and written.isdisjoint({REGISTERED + option.name, *option.names} - self.taken.keys())
        ]


NAMES: pytest.StashKey[Names] = pytest.StashKey()
UNREAD: pytest.StashKey[Sequence[str]] = pytest.StashKey()


def registering(config: pytest.Config) -> list[Path]:
    """The conftest.py files that register scores or engines."""
    plugins = dict(config.pluginmanager.list_name_plugin())
    files = [Path(name) for name, plugin in plugins.items() if plugin and name.endswith("conftest.py")]
    return [
        path
        for path in files
        if path.is_file() and any(word in path.read_bytes() for word in (b"engine_for", b"scorer"))
    ]


def names_of(config: pytest.Config) -> Names:
    """The names after every plugin and conftest.py has loaded."""
    return config.stash.get(NAMES, Names({}, {}))


def name_a_model(config: pytest.Config) -> str:
    """The remedy for a run without a model."""
    names, best = names_of(config), names_of(config).best("model")
    taken = f"\n  --model is {TAKEN}: write {best}" if "--model" in names.taken else ""
    return f"  name it: {best}=PATH_OR_HUB_ID (a folder, a PEFT adapter, org/name, or a recipe){taken}"


def reach_of(config: pytest.Config) -> Reach:
    """Where suites and recipes may name files: in pytest's rootdir, unless the user allows more."""
    options = config.stash[RUN_OPTIONS]
    return Reach(config.rootpath, options.allow_outside, options.allow_task_code)


@contextmanager
def usage_errors(config: pytest.Config) -> Iterator[None]:
    """Turn input errors inside the block into pytest's own, with our options under their names here.

    Raises:
        pytest.UsageError: for a HarnessError, an error that missing or old packages explain, or one about a path.
    """
    try:
        with needed(), paths_explained():
            yield
    except HarnessError as error:
        raise pytest.UsageError(names_of(config).here(error.text)) from error


# The steps, in order


def add_options(parser: pytest.Parser, config: pytest.Config, late: bool) -> None:
    """Register the options, with the short names of the command line too if it is too `late` to replace those."""
    group = parser.getgroup("forgetting", "forgetting gate")
    for option in OPTIONS:
        about = option.help if late else argparse.SUPPRESS
        group.addoption(REGISTERED + option.name, dest=option.dest, help=about, **option.keywords)
    if late:
        names = config.stash[NAMES] = Names.of(parser)
        _register(parser, names, set(_written(arguments_of(config))))


def find_paths(parser: pytest.Parser, config: pytest.Config, arguments: Sequence[str]) -> bool:
    """Keep pytest from taking an option's value for a path of tests, and from loading a conftest.py there.

    False if a value is invalid, which it need not be for an option of that name in a conftest.py.
    """
    try:
        _understand(parser, config, Names.of(parser).spelt_out(arguments))
    except pytest.UsageError:
        return False
    return True


def spell_out(parser: pytest.Parser, config: pytest.Config, arguments: list[str]) -> None:
    """Replace our short names on the command line by the registered ones, in place as pytest allows.

    Raises:
        pytest.UsageError: an option has an invalid value; the message has the name as written.
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
    """All arguments: from the environment, the ini file once it was read, and the command line."""
    yield from environment_arguments()
    with suppress(ValueError):
        yield from config.getini("addopts")
    yield from config.invocation_params.args


def environment_arguments() -> list[str]:
    """The arguments in PYTEST_ADDOPTS."""
    return shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))


# Details


def _understand(parser: pytest.Parser, config: pytest.Config, spelt: Sequence[str]) -> None:
    """Give pytest its paths and our options before it reads the whole command line."""
    read = parser.parse_known_args(spelt, copy.copy(config.option))
    known = ("file_or_dir", *(option.dest for option in OPTIONS))
    vars(config.known_args_namespace).update({name: getattr(read, name) for name in known})


def _is_taken(parser: pytest.Parser, name: str, option: Option) -> bool:
    """Whether someone else registered a name.

    Neither pytest nor argparse has a public way to look: before parsing, `Config.getoption` knows only options with a default,
    and parsing would run the option's action.
    """
    action = parser.optparser._option_string_actions.get(name)
    return action is not None and action.dest != option.dest


def _register(parser: pytest.Parser, names: Names, wanted: Iterable[str]) -> None:
    """Register free names after all: for `--help`, which loads nothing afterwards, or when it is too late to replace them."""
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
    """The arguments without their `=VALUE`, up to `--`."""
    return (argument.partition("=")[0] for argument in takewhile("--".__ne__, from_files(arguments)))


def from_files(arguments: Iterable[Any]) -> Iterator[str]:
    """The arguments, with `@FILE` replaced by those in the file, as in argparse."""
    for argument in map(os.fspath, arguments):
        lines = None
        if argument.startswith("@"):
            with suppress(OSError, ValueError):  # argparse reports it
                lines = Path(argument[1:]).read_text(encoding=sys.getfilesystemencoding()).splitlines()
        if lines is None:
            yield argument
        else:
            yield from from_files(lines)
