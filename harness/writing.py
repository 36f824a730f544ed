"""A path and a content in, a file that is there whole or not at all out."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from harness.errors import HarnessError, reason, shown_path

ELSEWHERE = "name another folder: --report DIR"

PARTIAL = ".partial"
"""How the names of files end that are not whole yet."""

FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file under another name, and put it in its place; text as UTF-8, with line feeds on Windows too.

    Raises:
        OSError: it cannot be written; what was there before is there still.
    """
    target = Path(os.path.realpath(path))  # a link stays one
    partial = target.with_name(f".{target.name[:100]}.{os.getpid()}{PARTIAL}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        partial.write_bytes(content if isinstance(content, bytes) else content.encode())
        partial.replace(target)
    finally:
        with suppress(OSError):  # of a folder that is gone or cannot be written
            partial.unlink(missing_ok=True)


def write_wanted(path: Path, content: str | bytes, remedy: str) -> None:
    """Write a file that a command was asked for.

    Args:
        remedy: what to do where it cannot be written: "name another place: --out FILE".

    Raises:
        HarnessError: it cannot be written.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise cannot_write(shown_path(path), "cannot be written", error, remedy) from error


def cannot_write(place: str, what: str, error: OSError, remedy: str) -> HarnessError:
    """The error for its author: where, what cannot be written there and why, and what to do."""
    room = "make room there, or " if error.errno in FULL else ""
    return HarnessError(f"{place}: {what}: {reason(error)}\n  {room}{remedy}")
