"""The suites of a folder in; those that tools copied into folders of their own, such as `build`, left out.

pytest enters no such folder (`norecursedirs`). A suite there protects something only if none of its name is read elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path

from harness.documents.text_file import read_bytes
from harness.errors import shown_path

NOT_ENTERED = ("*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}")
"""The names of folders that pytest does not enter by default."""

_SUITE = re.compile(
    r"^([\"']?)suite\1[ \t]*:[ \t]*([\"']?)(\w[^\s\"'#\[\]:/\\]*)\2[ \t]*(?:#.*)?\r?$", re.MULTILINE
)


def closed_folder(path: Path, folder: Path, patterns: Sequence[str] = NOT_ENTERED) -> Path | None:
    """The first folder on the way from a folder to a file that a pattern names; None if there is none."""
    between = reversed([each for each in path.parents if each != folder and each.is_relative_to(folder)])
    return next((each for each in between if any(fnmatch(each.name, pattern) for pattern in patterns)), None)


def by_name(paths: Iterable[Path]) -> dict[str, Path]:
    """The first file of each suite, by the suite's name as far as it can be told without parsing."""
    first: dict[str, Path] = {}
    for path in paths:
        if name := name_in(path):
            first.setdefault(name, path)
    return first


def name_in(path: Path) -> str | None:
    """The name of the suite in a file; None if it cannot be told without parsing."""
    with suppress(OSError):
        if found := _SUITE.search(read_bytes(path).decode("utf-8-sig", "replace")):
            return found[3]
    return None


def if_stale(copy: Path, read: Path) -> Iterator[str]:
    """A note if a copy has another text than the suite that is read."""
    if read_bytes(copy) != read_bytes(read):
        yield f"{shown_path(copy)} was not read: it has the same suite as {shown_path(read)}, but differs"


def without_copies(files: Sequence[Path], folder: Path) -> tuple[list[Path], dict[Path, list[str]]]:
    """The files without copies, and notes on the stale ones by the file that is read.

    Args:
        files: of the folder and below.
    """
    closed = {file for file in files if closed_folder(file, folder)}
    if not closed:  # no file is opened for nothing
        return list(files), {}
    read = by_name(file for file in files if file not in closed)
    copies = {file: read[name] for file in closed if (name := name_in(file)) in read}
    notes: dict[Path, list[str]] = {}
    for copy in sorted(copies):
        notes.setdefault(copies[copy], []).extend(if_stale(copy, copies[copy]))
    return [file for file in files if file not in copies], notes
