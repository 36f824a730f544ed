"""A file in, the SHA-256 of its bytes out; that of a large file is computed once, and remembered by the file's identity."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path

from harness.digest import bytes_digest
from harness.errors import ModelError
from harness.models.cache import cache_folder

FILE = "digests.db"
LARGE = 1 << 20
"""Bytes from which on a digest is remembered; it is computed faster than it is found for smaller files."""

RACY = 2_000_000_000
"""Nanoseconds after a change in which another change may leave the times of a file as they are."""

TABLE = "CREATE TABLE IF NOT EXISTS digests (file TEXT PRIMARY KEY, digest TEXT NOT NULL, checksum TEXT NOT NULL) WITHOUT ROWID"


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, hexadecimal.

    Remembered in the cache folder under the file's device, inode, size and times of change. A memory that cannot be read or
    written, or a row that does not match its own checksum, means that the file is read.

    Raises:
        OSError: the file cannot be read.
    """
    before = path.stat()
    if before.st_size < LARGE:
        return bytes_digest(path)
    identity = _identity(before)
    if (known := _remembered(identity)) is not None:
        return known
    digest = bytes_digest(path)
    settled = time.time_ns() - max(before.st_mtime_ns, before.st_ctime_ns) > RACY
    if settled and _identity(path.stat()) == identity:
        _remember(identity, digest)
    return digest


def changed_since(name: str) -> str:
    """The error of a model whose files are not what they were when a run found it."""
    return (
        f"{name}: its files changed since the run began, so its answers would come from two models\n"
        "  wait until nothing writes there, or copy the folder; then run again"
    )


def _remembered(identity: str) -> str | None:
    with suppress(sqlite3.Error, OSError, ModelError), closing(_opened()) as connection:
        row = connection.execute(
            "SELECT digest, checksum FROM digests WHERE file = ?", (identity,)
        ).fetchone()
        return str(row[0]) if row and row[1] == _checksum(identity, row[0]) else None
    return None


def _remember(identity: str, digest: str) -> None:
    with suppress(sqlite3.Error, OSError, ModelError), closing(_opened()) as connection, connection:
        row = (identity, digest, _checksum(identity, digest))
        connection.execute("INSERT OR REPLACE INTO digests VALUES (?, ?, ?)", row)


def _opened() -> sqlite3.Connection:
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(folder / FILE, timeout=2.0)
    try:
        connection.execute(TABLE)
    except BaseException:
        connection.close()
        raise
    return connection


def _identity(seen: os.stat_result) -> str:
    return f"{seen.st_dev} {seen.st_ino} {seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns}"


def _checksum(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:16]
