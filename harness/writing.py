"""Files and folders that are there whole or not at all; and why something cannot be written, as an error for its author."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import HarnessError, reason, shown_path
from harness.spelling import option

ELSEWHERE = f"name another folder: {option('report', 'DIR')}"

PARTIAL = ".partial"
"""How the names of files end that are not whole yet."""

FULL = "the disk is full"

FAULTS = {
    getattr(errno, name): words
    for name, words in {
        "ENOSPC": FULL,
        "EDQUOT": f"{FULL}: the quota is used up",
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
    "No space left": FULL,
    "Read-only file system": FAULTS[errno.EROFS],
    "Permission denied": FAULTS[errno.EACCES],
    "Not a directory": FAULTS[errno.ENOTDIR],
    "Disk quota exceeded": FULL,
    # torch says no more of a full disk.
    "PytorchStreamWriter failed writing": FULL,
    "unexpected pos": FULL,
}
"""The same, by what safetensors and torch say of it."""


# Whole or not at all


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Where to write a file that takes the place of `path` when the block ends; a link stays one.

    Raises:
        OSError: it cannot be put there; what was there before is there still, as after an error in the block.
    """
    target = Path(os.path.realpath(path))
    # A name may have 255 bytes, and a character four.
    partial = target.with_name(f".{target.name[:50]}.{os.getpid()}{PARTIAL}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        partial.replace(target)
    finally:
        with suppress(OSError):  # of a folder that is gone or cannot be written
            partial.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file whole; text as UTF-8, with line feeds on Windows too. Raises OSError as `whole_file` does."""
    with whole_file(path) as partial:
        partial.write_bytes(content if isinstance(content, bytes) else content.encode())


@contextmanager
def whole_folder(folder: Path, goes_on: Callable[[Path], bool] = lambda unfinished: False) -> Iterator[Path]:
    """A folder to write into, which takes the place of `folder` when the block ends.

    Args:
        goes_on: whether an unfinished folder that a kill or an error left has something to go on from; else it is
            removed.

    Raises:
        OSError: it cannot be put there; what was there before is there still, as after an error in the block.
    """
    unfinished = folder.with_name(f".{folder.name}-unfinished")
    restore_folder(folder)
    if unfinished.exists() and not goes_on(unfinished):
        shutil.rmtree(unfinished)
    unfinished.mkdir(parents=True, exist_ok=True)
    try:
        yield unfinished
        _put(unfinished, folder)
    finally:
        if not goes_on(unfinished):
            shutil.rmtree(unfinished, ignore_errors=True)


def restore_folder(folder: Path) -> None:
    """Undo what a kill left between two renames: the older folder gets its name again."""
    older = _older(folder)
    if older.exists() and not folder.exists():
        older.rename(folder)


def _put(unfinished: Path, folder: Path) -> None:
    older = _older(folder)
    if folder.exists():
        shutil.rmtree(older, ignore_errors=True)
        folder.rename(older)
    try:
        unfinished.rename(folder)
    except BaseException:
        restore_folder(folder)
        raise
    shutil.rmtree(older, ignore_errors=True)


def _older(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}-older")


# Why something cannot be written


def write_fault(error: BaseException) -> str | None:
    """Why nothing more could be written, in words; None for an error of another kind."""
    if isinstance(error, OSError) and error.errno in FAULTS:
        return FAULTS[error.errno]
    return next((words for text, words in IN_WORDS.items() if text in str(error)), None)


def system_fault(error: BaseException) -> str | None:
    """What the system says, where nothing but writing can have failed; None for an error that is not the system's."""
    return reason(error) if isinstance(error, OSError) else None


@contextmanager
def writing(
    sentence: str,
    remedy: str,
    fault: Callable[[Exception], str | None] = write_fault,
    kind: type[HarnessError] = HarnessError,
) -> Iterator[None]:
    """While something is written, tell its author why it cannot be.

    Args:
        sentence: where, and what cannot be written: "a.json: cannot be written".
        remedy: what to do about it: "name another folder".
        fault: what is said of an error; None lets it pass as it is.

    Raises:
        HarnessError: of `kind`; it cannot be written.
    """
    try:
        yield
    except HarnessError:
        raise
    except Exception as error:  # safetensors and torch have errors of their own for a full disk
        if (why := fault(error)) is None:
            raise
        raise cannot_write(sentence, error, remedy, why, kind) from error


def write_wanted(path: Path, content: str | bytes, remedy: str) -> None:
    """Write a file that a command was asked for, whole; raises HarnessError with the remedy where it cannot be written."""
    with writing(f"{shown_path(path)}: cannot be written", remedy, system_fault):
        write_whole(path, content)


def cannot_write(
    sentence: str, error: Exception, remedy: str, why: str, kind: type[HarnessError] = HarnessError
) -> HarnessError:
    """The error for its author; on a full disk, to make room is a remedy too."""
    room = "make room there, or " if (write_fault(error) or "").startswith(FULL) else ""
    return kind(f"{sentence}: {why}\n  {room}{remedy}")
