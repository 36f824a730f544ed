"""Write files and folders whole or not at all, and explain why one cannot be written."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from harness.errors import HarnessError, reason, shown_path
from harness.spelling import option

ELSEWHERE = f"name another folder: {option('report', 'DIR')}"

PARTIAL = ".partial"
"""The end of the name of a file that is not complete yet."""

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
"""Reasons by the number of the system's error."""

IN_WORDS = {
    "No space left": FULL,
    "Read-only file system": FAULTS[errno.EROFS],
    "Permission denied": FAULTS[errno.EACCES],
    "Not a directory": FAULTS[errno.ENOTDIR],
    "Disk quota exceeded": FULL,
    # all that torch says of a full disk
    "PytorchStreamWriter failed writing": FULL,
    "unexpected pos": FULL,
}
"""Reasons by the messages of safetensors and torch, which have no number."""


# Whole or not at all


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to inside the block, whose file replaces `path` when the block ends; a link stays a link.

    A device or a pipe, such as /dev/null, is written to as it is.

    Raises:
        OSError: it cannot be replaced; the old file stays, as it does after an error in the block.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not (target.is_file() or target.is_dir()):
        yield target
        return
    # names have up to 255 bytes, and characters up to four
    partial = target.with_name(f".{target.name[:50]}.{os.getpid()}{PARTIAL}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        partial.replace(target)
    finally:
        with suppress(OSError):  # the folder is gone or read-only
            partial.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file whole, text as UTF-8 with line feeds on every system; raises OSError as `whole_file` does."""
    with whole_file(path) as partial:
        partial.write_bytes(content if isinstance(content, bytes) else content.encode())


@contextmanager
def whole_folder(folder: Path, goes_on: Callable[[Path], bool] = lambda unfinished: False) -> Iterator[Path]:
    """A folder to fill inside the block, which replaces `folder` when the block ends.

    Args:
        goes_on: whether an unfinished folder, left by a kill or an error, is worth continuing; otherwise it is removed.

    Raises:
        OSError: it cannot be replaced; the old folder stays, as it does after an error in the block.
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
    """Give the older folder its name back after a kill between the two renames of `whole_folder`."""
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
    """The reason why something could not be written, in words; None for an error of another kind."""
    if isinstance(error, OSError) and error.errno in FAULTS:
        return FAULTS[error.errno]
    return next((words for text, words in IN_WORDS.items() if text in str(error)), None)


def system_fault(error: BaseException) -> str | None:
    """The system's reason, where only writing can have failed; None for an error that is not the system's."""
    return reason(error) if isinstance(error, OSError) else None


@contextmanager
def writing(
    sentence: str,
    remedy: str,
    fault: Callable[[Exception], str | None] = write_fault,
    kind: type[HarnessError] = HarnessError,
) -> Iterator[None]:
    """Turn the errors of writing inside the block into a HarnessError.

    Args:
        sentence: the place and the failure: "a.json: cannot be written".
        remedy: "name another folder".
        fault: gives the reason for an error; one without a reason passes unchanged.

    Raises:
        HarnessError: of `kind`.
    """
    try:
        yield
    except HarnessError:
        raise
    except Exception as error:  # safetensors and torch have errors of their own for a full disk
        if (why := fault(error)) is None:
            raise
        raise cannot_write(sentence, error, remedy, why, kind) from error


def writing_report(folder: Path, what: str = "no record", by: str = "report") -> AbstractContextManager[None]:
    """`writing` for the folder of a report, which the option `by` names; raises HarnessError."""
    sentence = f"{option(by, str(folder))}: {what} can be written there"
    return writing(sentence, f"name another folder: {option(by, 'DIR')}", system_fault)


def clear_report(folder: Path, names: Iterable[str], by: str = "report") -> None:
    """Remove an earlier run's files from the folder of a report: none may pass for this run's, whatever ends this one.

    Raises:
        HarnessError: the folder is there and cannot be written.
    """
    with writing_report(folder, "nothing", by):
        for path in (folder / name for name in names if folder.is_dir()):
            path.unlink(missing_ok=True)
            path.touch()  # a folder that cannot be written shows, even if it is empty
            path.unlink()


def write_wanted(path: Path, content: str | bytes, remedy: str) -> None:
    """Write a file that the user asked for, whole; raises HarnessError with the remedy."""
    with writing(f"{shown_path(path)}: cannot be written", remedy, system_fault):
        write_whole(path, content)


def cannot_write(
    sentence: str, error: Exception, remedy: str, why: str, kind: type[HarnessError] = HarnessError
) -> HarnessError:
    """The error with its remedy; on a full disk, making room is another one."""
    room = "make room there, or " if (write_fault(error) or "").startswith(FULL) else ""
    return kind(f"{sentence}: {why}\n  {room}{remedy}")
