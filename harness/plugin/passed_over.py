"""The folders of a run in, an error for each of their suites that pytest passed over out.

pytest enters no folder that `norecursedirs` names, such as `build` and hidden ones, and collects no link that leads nowhere. A
run of a model must not be green without their suites; what only nearly is a suite is nobody's in such a folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from harness.errors import shown_path
from harness.plugin.options import RUN_OPTIONS
from harness.suites.detect import has_ending, leads_nowhere, look_through
from harness.visible import visible

OFFERED: pytest.StashKey[dict[str, Path]] = pytest.StashKey()
"""The files that pytest offered to plugins, by where their links lead."""


def is_new(config: pytest.Config, path: Path) -> bool:
    """Whether pytest offers a file for the first time, and not again behind a link; keeps it in mind."""
    offered = config.stash.setdefault(OFFERED, {})
    return offered.setdefault(os.path.realpath(path), path) == path


def below_named(config: pytest.Config, path: Path) -> bool:
    """Whether a file is named, or in a folder that is."""
    return not config.stash[RUN_OPTIONS].paths.isdisjoint((path, *path.parents))


def unless_ignored(path: Path) -> str:
    """The remedy for a file that is no suite, or that nobody wants."""
    return f"if it is not for this run, leave it out: --ignore={shown_path(path)}"


def refuse_passed_over(session: pytest.Session) -> None:
    """Report each suite of the folders that was passed over as a file that could not be collected."""
    for path, reason in _passed_over(session.config):
        place = path.relative_to(session.path) if path.is_relative_to(session.path) else path
        text = f"{shown_path(path)}: looks like a suite and was not read: {reason}\n  {unless_ignored(path)}"
        report = pytest.CollectReport(visible(place.as_posix()), "failed", text, [])
        session.config.hook.pytest_collectreport(report=report)


def _passed_over(config: pytest.Config) -> Iterator[tuple[Path, str]]:
    offered = config.stash.setdefault(OFFERED, {})
    for folder in sorted(filter(Path.is_dir, config.stash[RUN_OPTIONS].paths)):
        for path, found in look_through(folder):
            closed = next(
                (name for name in path.relative_to(folder).parts[:-1] if _is_closed(config, name)), None
            )
            if (
                has_ending(path)
                and (closed is None or found.kind == "suite")
                and os.path.realpath(path) not in offered
                and not _is_ignored(config, path, folder)
            ):
                offered[os.path.realpath(path)] = path
                yield path, found.reason if leads_nowhere(path) else _why(closed)


def _is_ignored(config: pytest.Config, path: Path, folder: Path) -> bool:
    """Whether the user left the file out, or a folder around it: by `--ignore`, `--ignore-glob` or a conftest.py."""
    within = [path, *(each for each in path.parents if each.is_relative_to(folder) and each != folder)]
    given = {
        Path(os.path.normpath(config.invocation_params.dir / each)) for each in config.option.ignore or ()
    }
    globs = [str(config.invocation_params.dir / each) for each in config.option.ignore_glob or ()]
    return (
        not given.isdisjoint((path, *path.parents))
        or any(fnmatch(str(each), glob) for each in (path, *path.parents) for glob in globs)
        or any(
            config.hook.pytest_ignore_collect(collection_path=each, config=config)
            for each in within
            if each == path or not _is_closed(config, each.name)
        )
    )


def _is_closed(config: pytest.Config, name: str) -> bool:
    """Whether `norecursedirs` names a folder."""
    return any(fnmatch(name, pattern) for pattern in config.getini("norecursedirs"))


def _why(closed: str | None) -> str:
    if closed is None:
        return "pytest passed it over"
    return f"pytest does not enter '{closed}' (norecursedirs)\n  to gate it, rename that folder, or set norecursedirs"
