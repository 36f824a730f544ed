"""Where the harness keeps what is costly to make again: converted and trained models; and why nothing can be kept there."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from harness.errors import HarnessError, ModelError

VARIABLE = "FORGETTING_GATE_CACHE"

FAULTS = {
    getattr(errno, name): words
    for name, words in {
        "ENOSPC": "the disk is full",
        "EDQUOT": "the disk is full: the quota is used up",
        "EROFS": "it is read-only",
        "EACCES": "it may not be written",
        "EPERM": "it may not be written",
        "ENOTDIR": "a part of its path is no folder",
        "EEXIST": "a part of its path is no folder",
        "EIO": "the disk gives errors",
    }.items()
    if hasattr(errno, name)
}
"""Why something cannot be written, by the number of the system's error."""

IN_WORDS = {
    "No space left": FAULTS[errno.ENOSPC],
    "Read-only file system": FAULTS[errno.EROFS],
    "Permission denied": FAULTS[errno.EACCES],
    "Not a directory": FAULTS[errno.ENOTDIR],
    "Disk quota exceeded": FAULTS[errno.ENOSPC],
    # torch says no more of a full disk.
    "PytorchStreamWriter failed writing": FAULTS[errno.ENOSPC],
    "unexpected pos": FAULTS[errno.ENOSPC],
}
"""The same, by what safetensors and torch say of it."""


def cache_folder() -> Path:
    """The folder that `FORGETTING_GATE_CACHE` names, else the platform's own for caches; raises ModelError."""
    named = os.environ.get(VARIABLE)
    try:
        return Path(named).expanduser() if named else user_cache_path("forgetting-gate")
    except RuntimeError as error:
        raise ModelError(f"{VARIABLE}={named}: there is no such home folder") from error


def write_fault(error: BaseException) -> str | None:
    """Why nothing more could be written, in words; None for an error of another kind."""
    if isinstance(error, OSError) and error.errno in FAULTS:
        return FAULTS[error.errno]
    return next((words for text, words in IN_WORDS.items() if text in str(error)), None)


def remedy(fault: str) -> str:
    """What to do about a folder that cannot be written."""
    return ("make room there, or " if fault.startswith("the disk is full") else "") + "name another folder"


@contextmanager
def keeping(what: str, folder: Path) -> Iterator[None]:
    """While a folder of the cache is written.

    Raises:
        ModelError: it cannot be written, as where the disk is full.
    """
    try:
        yield
    except HarnessError:
        raise
    except Exception as error:  # safetensors and torch have errors of their own for a full disk
        fault = write_fault(error)
        if fault is None or _elsewhere(error, folder):
            raise
        raise ModelError(
            f"{what}: cannot be kept in {folder}: {fault}\n  {remedy(fault)}: {VARIABLE}=FOLDER"
        ) from error


def _elsewhere(error: Exception, folder: Path) -> bool:
    """Whether an error is of a file that is not of a folder."""
    named = error.filename if isinstance(error, OSError) else None
    if not isinstance(named, str):
        return False
    path, folder = Path(named).absolute(), folder.absolute()
    return not (path.is_relative_to(folder.parent) or folder.is_relative_to(path))
