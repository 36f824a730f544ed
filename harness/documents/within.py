"""A path that a file names in, where it leads out, or why it may not: files do not read what lies outside their project.

A suite that somebody else wrote must not be able to show a secret of the machine that reads it. So what a suite, a recipe
or an imported task names lies in the file's own folder, or in the folder of the run where the file lies in that:
pytest's rootdir, or the working folder of a command. Links count by where they lead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError, Problem, Span
from harness.spelling import option

REMOTE = frozenset({"hf", "http", "https", "s3", "gs", "gcs", "az", "abfs"})
"""The schemes of addresses that lead to no file of this machine."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_FILE = re.compile(r"^file:(//)?(localhost)?", re.IGNORECASE)


@dataclass(frozen=True)
class Reach:
    """How far the paths that a file names may lead."""

    root: Path | None = None
    """The folder of the run; the working folder where it is not given."""
    anywhere: bool = False
    """Whether the user allowed every path."""

    def path(self, written: str, file: Path, span: Span | None = None, folder: Path | None = None) -> Path:
        """The path that `written` means in `file`, whether anything is there or not.

        Args:
            span: where it is written.
            folder: what a relative path starts from; the file's own where it is not given.

        Raises:
            InputError: it leads outside.
        """
        path = (folder or file.parent) / written
        self.check(path, file, written, span)
        return path

    def check(self, path: Path, file: Path, written: str, span: Span | None = None) -> None:
        """Raise InputError for a path, named as `written` by `file`, that leads outside."""
        try:
            target, folder = path.resolve(), file.parent.resolve()
            root = (self.root or Path.cwd()).resolve()
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL
            raise InputError(
                [Problem(span, f"{written!r} is no path that can be followed: {error}")]
            ) from error
        inside = root if folder.is_relative_to(root) and root != Path(root.anchor) else folder
        if not self.anywhere and not target.is_relative_to(inside):
            raise InputError([Problem(
                span,
                f"'{written}' leads outside {inside}, to {target}",
                f"copy the file into that folder, or allow it: {option('allow_outside')}",
            )])  # fmt: skip

    def address(self, written: str, file: Path, folder: Path, span: Span | None = None) -> None:
        """Check what may be an address or a path: `hf://...` leads to no file here, `file:///...` does.

        Args:
            folder: what a relative path starts from.

        Raises:
            InputError: it leads outside, or where it leads cannot be told.
        """
        scheme = found[1].lower() if (found := _SCHEME.match(written)) else "file"
        if scheme == "file" and "::" not in written:
            self.check(folder / _FILE.sub("", written), file, written, span)
        elif not self.anywhere and (scheme not in REMOTE or "::" in written):
            raise InputError([Problem(
                span, f"'{written}' may lead outside the folder", f"name a plain path, or allow it: {option('allow_outside')}"
            )])  # fmt: skip


PROJECT = Reach()
"""The working folder."""


def is_address(written: str) -> bool:
    """Whether it begins as an address does; one letter before a colon is a drive of Windows."""
    return _SCHEME.match(written) is not None


def is_there(path: Path) -> bool:
    """Whether something stands at a path; what can be no path leads nowhere."""
    try:
        return path.exists()
    except OSError:
        return False
