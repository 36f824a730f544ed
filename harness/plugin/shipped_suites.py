"""The suites that ship, by `--pyargs harness.shipped` or `--suite NAME`, in; their files among the paths of the run out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pytest

from harness.errors import HarnessError, did_you_mean, shown_path
from harness.plugin.options import RunOptions
from harness.shipped import NAME, SUITES, suite_files
from harness.suites.detect import may_be_suite

SUITES_ALONE = "forgetting_suites_alone"
"""A value of `config.option`, and so of xdist's workers too: the run names suites and no path."""


def add_shipped_suites(config: pytest.Config, options: RunOptions) -> None:
    """Have pytest collect the suites that ship and are named, after the paths of the run.

    A run that names suites and no path collects nothing but suites, and runs those alone.
    """
    if config.option.pyargs:
        config.args[:] = [str(SUITES) if argument == NAME else argument for argument in config.args]
    files = suite_files()
    named = [str(files[name]) for name in dict.fromkeys(options.suites) if name in files]
    if str(SUITES) not in config.args:
        config.args += [path for path in named if path not in config.args]
    if options.suites and config.args_source is not pytest.Config.ArgsSource.ARGS:
        setattr(config.option, SUITES_ALONE, True)


def is_ignored(path: Path, config: pytest.Config) -> bool:
    """Whether a file is no suite, in a run that names suites and no path."""
    return named_alone(config) and path.is_file() and not may_be_suite(path)


def that_give_way(names: Mapping[Path, str]) -> dict[Path, str]:
    """The suites that ship and give way to one of the project's with the same name, each with a note.

    Args:
        names: the name of the suite in each collected file.
    """
    shipped = set(suite_files().values())
    own = {name: path for path, name in names.items() if path not in shipped}
    return {
        path: f"{name}: the suite of {shown_path(own[name])}, not the one that ships"
        for path, name in names.items()
        if path in shipped and name in own
    }


def selected(wanted: Sequence[str], names: Mapping[Path, str], alone: bool) -> set[str]:
    """The names of the suites to run: those wanted, and beside names of suites that ship all of the project's.

    Args:
        names: the name of the suite in each collected file.
        alone: whether the run names no path, so that its suites are the wanted ones alone.
    """
    shipped = suite_files()
    adds = bool(wanted) and not alone and all(name in shipped for name in wanted)
    own = {name for path, name in names.items() if path not in shipped.values()}
    return {*wanted, *(own if adds else ())} if wanted else set(names.values())


def named_alone(config: pytest.Config) -> bool:
    """Whether the run names suites and no path."""
    return bool(getattr(config.option, SUITES_ALONE, False))


def check_suites(wanted: Sequence[str], present: Collection[str], left_out: Collection[str] = ()) -> None:
    """Raise HarnessError for a name that no suite with a selected case has.

    Args:
        left_out: the names of suites that were collected and of which no case is selected.
    """
    known = sorted({*present, *left_out, *suite_files()})
    for name in wanted:
        if name in left_out:
            raise HarnessError(
                f"--suite {name}: every case of it was left out, such as by -k, -m or --deselect\n"
                f"  leave out --suite {name} too, or select one of its cases"
            )
        if name not in present:
            near = did_you_mean(name, known) or f"there are: {', '.join(known)}"
            raise HarnessError(
                f"--suite {name}: no such suite was collected, and none of that name ships\n  {near}"
            )
