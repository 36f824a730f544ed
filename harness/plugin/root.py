"""Correct pytest's root folder where pytest took the value of one of our options for a path of tests.

pytest looks for its root and its ini file before it loads plugins, and takes the `./tuned` of `--model ./tuned` for a path of
tests. It cannot mistake `--model=./tuned`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from harness.errors import HarnessError, shown_path
from harness.plugin.names import REGISTERED, environment_arguments, from_files, names_of
from harness.plugin.options import OPTIONS


def settle_root(parser: pytest.Parser, config: pytest.Config) -> None:
    """Correct the root folder. The settings of a wrong ini file are in use by now, and cannot be corrected.

    Raises:
        HarnessError: those settings differ.
    """
    arguments = list(from_files([*environment_arguments(), *config.invocation_params.args]))
    mistaken = _mistaken(arguments, config)
    if not mistaken:
        return
    spelt = names_of(config).spelt_out(arguments)
    paths = parser.parse_known_args(spelt, copy.copy(config.option)).file_or_dir
    taken = [argument for place, argument in enumerate(arguments) if place in mistaken or argument in paths]
    root, ini, settings = _setup(config, paths)
    seen_root, seen_ini, seen_settings = _setup(config, taken)
    if (seen_root, seen_ini) != (config.rootpath, config.inipath) or root == seen_root:
        return
    if settings != seen_settings:
        place = min(mistaken)
        option, value = arguments[place - 1 : place + 1]
        instead = f", not {shown_path(ini)}" if ini else ""
        raise HarnessError(
            f"{option} {value}: pytest takes the value of an option for a path of tests when it looks for its settings, "
            f"and reads {shown_path(seen_ini) if seen_ini else 'none'}{instead}\n  write it as one word: {option}={value}"
        )
    vars(config).update(_rootpath=root, _inipath=ini)  # pytest sets them once, before it loads plugins


def _mistaken(arguments: Sequence[str], config: pytest.Config) -> set[int]:
    """The indices of the values that pytest took for paths of tests."""
    registered = {REGISTERED + option.name: option for option in OPTIONS}
    options = {**registered, **names_of(config).free}
    return {
        place
        for place, (name, value) in enumerate(pairwise(arguments), start=1)
        if name in options and options[name].takes_a_value and (config.invocation_params.dir / value).exists()
    }


def _setup(config: pytest.Config, paths: Sequence[str]) -> tuple[Any, Any, Any]:
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
    return root, ini, settings
