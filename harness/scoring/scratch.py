"""A scratch folder for untrusted code: its size is bounded, and it is removed whatever is in it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

MOST_BYTES = 32 * 1024 * 1024
MOST_ENTRIES = 256
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def scratch_folder() -> Iterator[str]:
    """A new folder, removed at the end; whatever writes there must have ended by then."""
    folder = tempfile.mkdtemp(prefix="answer-")
    try:
        yield folder
    finally:
        with suppress(OSError):
            _empty(folder)
            Path(folder).rmdir()


def overfull(folder: str) -> bool:
    """Whether a folder tree holds more than MOST_BYTES or MOST_ENTRIES, or anything that cannot be counted."""
    if sys.platform == "win32":
        return True
    size, entries, folders = 0, 0, [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as found:
                for entry in found:
                    entries += 1
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if size > MOST_BYTES or entries > MOST_ENTRIES:
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except FileNotFoundError:  # deleted meanwhile
            continue
        except OSError:  # locked, or too deep for a path
            return True
    return False


def _empty(folder: str) -> None:
    """Remove a folder's contents, deepest first; walks by file descriptor, because a path may be too long or a link."""
    here = os.open(folder, _FOLDER)
    above: list[str] = []
    while True:
        with os.scandir(here) as found:
            entries = list(islice(found, MOST_ENTRIES))
        inner = next((entry.name for entry in entries if entry.is_dir(follow_symlinks=False)), None)
        if inner is not None:
            os.chmod(inner, 0o700, dir_fd=here)
            here = _step(here, inner)
            above.append(inner)
        elif entries:
            for entry in entries:
                os.unlink(entry.name, dir_fd=here)
        elif above:
            here = _step(here, "..")
            os.rmdir(above.pop(), dir_fd=here)
        else:
            os.close(here)
            return


def _step(here: int, name: str) -> int:
    """Open the folder `name` within the open folder `here`, and close `here`."""
    there = os.open(name, _FOLDER, dir_fd=here)
    os.close(here)
    return there
