"""The folder of a record in, held for one run out: another that would write there is refused."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from harness.errors import HarnessError
from harness.spelling import option
from harness.writing import writing_report


@contextmanager
def held(folder: Path, record: str, by: str) -> Iterator[None]:
    """Hold the folder of a record, which the option `by` names, while the block runs; a run that dies lets go of it.

    Raises:
        HarnessError: another run holds it, or nothing can be written there.
    """
    lock = lock_in(folder, record)
    with writing_report(folder, "nothing", by):
        hold(lock, folder, by)
    try:
        yield
    finally:
        lock.release()


def lock_in(folder: Path, record: str) -> FileLock:
    """The lock of the run that writes a record, by the name of its file, in a folder."""
    return FileLock(str(folder / lock_name(record)), thread_local=False)


def lock_name(record: str) -> str:
    """The name of the file that is locked, which stays in the folder."""
    return f".{record}.lock"


def hold(lock: FileLock, folder: Path, by: str) -> None:
    """Take the lock in a folder, which is made if need be; raises OSError, and HarnessError if another run has it."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except NotImplementedError as error:  # filelock's answer to ENOSYS
        raise OSError(errno.ENOSYS, "no file can be locked there") from error
    except Timeout as error:
        raise HarnessError(
            f"{option(by, str(folder))}: another run is writing its record there\n"
            f"  wait until it ends, or give this run a folder of its own: {option(by, 'DIR')}"
        ) from error
