"""A path that a file names in, the path to read out; or an error, if it leads outside the project.

A suite by somebody else must not be able to reveal a secret of the machine that reads it. So the files that a suite, a
recipe or an imported task names must be in that file's own folder, or, if the file is in the folder of the run (pytest's
rootdir, the working folder of a command), anywhere in that. A link counts as the file that it leads to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError, Span
from harness.spelling import option

REMOTE = frozenset({"hf", "http", "https", "s3", "gs", "gcs", "az", "abfs"})
"""The schemes of addresses that lead to no file of this machine."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_FILE = re.compile(r"^file:(//)?(localhost)?", re.IGNORECASE)


@dataclass(frozen=True)
class Reach:
    """How far the paths that a file names may lead."""

    root: Path | None = None
    """The folder of the run; None for the working folder."""
    anywhere: bool = False
    """Whether every path is allowed."""
    code: bool = False
    """Whether Python that comes with a task of lm-evaluation-harness may run."""

    def path(self, written: str, file: Path, span: Span | None = None) -> Path:
        """The path that `written` means in `file`, from its folder, whether or not it exists.

        Args:
            span: where it is written.

        Raises:
            InputError: it leads outside.
        """
        path = file.parent / written
        self.check(path, file, written, span)
        return path

    def check(self, path: Path, file: Path, written: str, span: Span | None = None) -> None:
        """Raise InputError for a path, named as `written` by `file`, that leads outside."""
        try:
            target, folder = path.resolve(), file.parent.resolve()
            root = (self.root or Path.cwd()).resolve()
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL
            raise InputError.at(span, f"{written!r} is not a usable path: {error}") from error
        inside = root if folder.is_relative_to(root) and root != Path(root.anchor) else folder
        if not self.anywhere and not target.is_relative_to(inside):
            remedy = f"copy the file into that folder, or allow it: {option('allow_outside')}"
            raise InputError.at(span, f"'{written}' leads outside {inside}, to {target}", remedy)

    def address(self, written: str, file: Path, folder: Path, span: Span | None = None) -> None:
        """Check an address or a path: `hf://...` leads to no file of this machine, `file:///...` does.

        Args:
            folder: what a relative path starts from.

        Raises:
            InputError: it leads outside, or to an unknown place.
        """
        scheme = found[1].lower() if (found := _SCHEME.match(written)) else "file"
        if scheme == "file" and "::" not in written:
            self.check(folder / _FILE.sub("", written), file, written, span)
        elif not self.anywhere and (scheme not in REMOTE or "::" in written):
            remedy = f"name a plain path, or allow it: {option('allow_outside')}"
            raise InputError.at(span, f"'{written}' may lead outside the folder", remedy)


PROJECT = Reach()
"""The working folder."""


def is_address(written: str) -> bool:
    """Whether `written` begins with a scheme; a single letter before a colon is a drive of Windows."""
    return _SCHEME.match(written) is not None


def is_there(path: Path) -> bool:
    """Whether a path exists; one that the system cannot take does not."""
    try:
        return path.exists()
    except OSError:
        return False
