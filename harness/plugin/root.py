"""Correct pytest's root folder where pytest took the value of one of our options for a path of tests.

pytest looks for its root and its ini file before it loads plugins, and takes the `./tuned` of `--model ./tuned` for a path of
tests. It cannot mistake `--model=./tuned`.
"""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness.documents.within import is_there
from harness.errors import HarnessError, shown_path
from harness.plugin.names import REGISTERED, Names, environment_arguments, from_files, names_of
from harness.plugin.option_list import OPTIONS
from harness.terminal import say


class Setup(NamedTuple):
    """What pytest finds for some paths of tests."""

    root: Path
    ini: Path | None
    settings: Mapping[str, Any]

    @property
    def cut(self) -> Path:
        """The folder above which no conftest.py is loaded, unless `--confcutdir` names one."""
        return self.ini.parent if self.ini else self.root


@dataclass(frozen=True)
class Mistake:
    """An option whose value pytest took for a path of tests, what it found for that, and what it should have found."""

    option: str
    value: str
    meant: Setup
    seen: Setup

    @property
    def matters(self) -> bool:
        """Whether the settings in use are not those of the project."""
        return self.meant.settings != self.seen.settings

    @property
    def text(self) -> str:
        """What happened, and what to write."""
        instead = f", not {shown_path(self.meant.ini)}" if self.meant.ini else ""
        return (
            f"{self.option} {self.value}: pytest takes the value of an option for a path of tests when it looks for its "
            f"settings, and reads {shown_path(self.seen.ini) if self.seen.ini else 'none'}{instead}\n"
            f"  write it as one word: {self.option}={self.value}"
        )


def reach_conftests(parser: pytest.Parser, config: pytest.Config) -> None:
    """Have pytest load every conftest.py of the project, beside those that it would load by mistake.

    A conftest.py may still take the option's name, so nothing else is corrected yet.
    """
    mistake, known = _mistake(parser, config, Names.of(parser)), config.known_args_namespace
    if mistake and known.confcutdir == str(mistake.seen.cut):
        known.confcutdir = os.path.commonpath([mistake.seen.cut, mistake.meant.cut])


def settle_root(parser: pytest.Parser, config: pytest.Config) -> None:
    """Correct the root folder. The settings of a wrong ini file are in use by now, and cannot be corrected.

    Raises:
        HarnessError: those settings differ.
    """
    mistake = _mistake(parser, config, names_of(config))
    if mistake is None:
        return
    if mistake.matters:
        raise HarnessError(mistake.text)
    vars(config).update(_rootpath=mistake.meant.root, _inipath=mistake.meant.ini)  # pytest sets them once


def explain_settings(parser: pytest.Parser, config: pytest.Config) -> None:
    """Say of a run that ends in an error before it begins that it has another project's settings, which may be why."""
    error = sys.exception()
    if not isinstance(error, Exception) or isinstance(error.__cause__, HarnessError):
        return
    mistake = _mistake(parser, config, Names.of(parser))
    if mistake and mistake.matters:
        say(mistake.text)


def _mistake(parser: pytest.Parser, config: pytest.Config, names: Names) -> Mistake | None:
    """The first mistaken value, if pytest found something else for it than for the paths of tests alone."""
    arguments = list(from_files([*environment_arguments(), *config.invocation_params.args]))
    places = _mistaken(arguments, config, names)
    if not places:
        return None
    read = parser.parse_known_args(names.spelt_out(arguments), copy.copy(config.option))
    paths = read.file_or_dir
    ours = [argument for place, argument in enumerate(arguments) if place in places or argument in paths]
    meant, seen = _setup(config, paths), _setup(config, ours)
    if meant[:2] == seen[:2]:
        return None
    found = (config.rootpath, config.inipath)
    if seen[:2] != found:  # another plugin's value was mistaken too
        seen = _setup(config, [argument for argument in arguments if not argument.startswith("-")])
    option, value = arguments[min(places) - 1 : min(places) + 1]
    return Mistake(option, value, meant, seen) if seen[:2] == found else None


def _mistaken(arguments: Sequence[str], config: pytest.Config, names: Names) -> set[int]:
    """The indices of the values that pytest took for paths of tests."""
    options = {**{REGISTERED + option.name: option for option in OPTIONS}, **names.free}
    folder = config.invocation_params.dir
    return {
        place
        for place, (name, value) in enumerate(pairwise(arguments), start=1)
        if name in options and options[name].takes_a_value and is_there(folder / value.split("::")[0])
    }


def _setup(config: pytest.Config, paths: Sequence[str]) -> Setup:
    """The root folder, ini file and settings that pytest finds for paths."""
    from _pytest.config.findpaths import determine_setup  # private, so imported only when it is needed

    known = config.known_args_namespace
    root, ini, settings, _ = determine_setup(
        inifile=known.inifilename,
        override_ini=known.override_ini,
        args=paths,
        rootdir_cmd_arg=known.rootdir or None,
        invocation_dir=config.invocation_params.dir,
    )
    return Setup(root, ini, settings)
