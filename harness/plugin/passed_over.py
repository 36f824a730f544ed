"""The folders of a run in, an error for each of their suites that pytest passed over out.

pytest enters no folder that `norecursedirs` names, such as `build` and hidden ones, and collects no link that leads nowhere. A
run of a model must not be green without their suites. In such a folder, what only nearly is a suite is nobody's, and so is a
copy of a suite that is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

import pytest

from harness.errors import HarnessError, shown_path
from harness.plugin.options import RUN_OPTIONS
from harness.plugin.state import run_of
from harness.suites.copies import by_name, closed_folder, if_stale, name_in
from harness.suites.detect import Sniffed, has_ending, leads_nowhere, look_through, sniff
from harness.visible import visible

OFFERED: pytest.StashKey[dict[str, Path]] = pytest.StashKey()
"""The files of the run that pytest offered to plugins, by where their links lead."""


def is_new(config: pytest.Config, path: Path) -> bool:
    """Whether pytest offers a file of the run for the first time, and not again behind a link; keeps it in mind.

    A file that is named is new, but `check_named_once` refuses it.
    """
    if not below_named(config, path):  # beside one that is named
        return True
    first = config.stash.setdefault(OFFERED, {}).setdefault(os.path.realpath(path), path)
    return first == path or not config.stash[RUN_OPTIONS].paths.isdisjoint((first, path))


def check_named_once(config: pytest.Config, path: Path) -> None:
    """Raise HarnessError for a file that is in the run by another name too: one of the two may be a part of it."""
    first = config.stash.get(OFFERED, {}).get(os.path.realpath(path), path)
    if first != path:
        raise HarnessError(
            f"{shown_path(path)}: is the same file as {shown_path(first)}, which is in the run too\n  name one of the two"
        )


def below_named(config: pytest.Config, path: Path) -> bool:
    """Whether a file is named, or in a folder that is."""
    return not config.stash[RUN_OPTIONS].paths.isdisjoint((path, *path.parents))


def unless_ignored(path: Path) -> str:
    """The remedy for a file or folder that nobody wants in the run."""
    return f"if it is not for this run, leave it out: --ignore={shown_path(path)}"


def refuse_passed_over(session: pytest.Session) -> None:
    """Report each suite of the folders that was passed over as a file that could not be collected, but for copies of others."""
    config, read = session.config, None
    for path, found, closed in _passed_over(config):
        read = _read(config) if read is None else read
        if closed and (name := name_in(path)) in read:
            run_of(config).notes += if_stale(path, read[name])
            continue
        reason = found.reason if leads_nowhere(path) else _why(closed)
        text = f"{shown_path(path)}: looks like a suite and was not read: {reason}\n  {unless_ignored(closed or path)}"
        place = path.relative_to(session.path) if path.is_relative_to(session.path) else path
        report = pytest.CollectReport(visible(place.as_posix()), "failed", text, [])
        config.hook.pytest_collectreport(report=report)


def _passed_over(config: pytest.Config) -> Iterator[tuple[Path, Sniffed, Path | None]]:
    """The suites that no plugin was offered, each with the folder around it that pytest does not enter, if there is one."""
    offered, seen, patterns = config.stash.get(OFFERED, {}), set[str](), config.getini("norecursedirs")
    for folder in sorted(filter(Path.is_dir, config.stash[RUN_OPTIONS].paths)):
        for path, found in look_through(folder):
            closed = closed_folder(path, folder, patterns)
            target = os.path.realpath(path)
            if (
                has_ending(path)
                and (closed is None or found.kind == "suite")
                and target not in offered
                and target not in seen
                and not _is_ignored(config, path, folder, patterns)
            ):
                seen.add(target)
                yield path, found, closed


def _read(config: pytest.Config) -> dict[str, Path]:
    """The suites that the run reads, by name."""
    offered = config.stash.get(OFFERED, {}).values()
    return by_name(path for path in offered if sniff(path).kind == "suite")


def _is_ignored(config: pytest.Config, path: Path, folder: Path, patterns: Sequence[str]) -> bool:
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
            if each == path or not any(fnmatch(each.name, pattern) for pattern in patterns)
        )
    )


def _why(closed: Path | None) -> str:
    if closed is None:
        return "pytest passed it over"
    return (
        f"pytest does not enter '{closed.name}' (norecursedirs)\n"
        "  to gate it, rename that folder, or set norecursedirs"
    )
