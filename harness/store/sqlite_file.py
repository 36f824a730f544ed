"""One SQLite file of ours: marked, versioned, shared by several processes, and safe from a kill at any moment."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from weakref import finalize

from harness.errors import HarnessError, first_line, reason, shown_path

PATIENCE = 10.0
"""Seconds to wait for another process that writes."""


class StoreError(HarnessError):
    """A file that cannot be used."""


@dataclass(frozen=True)
class Form:
    """A kind of file.

    Attributes:
        name: in messages, such as "a store of answers".
        mark: SQLite's `application_id`.
        version: of the schema; a newer file is not read.
        schema: the statements that make its tables.
    """

    name: str
    mark: int
    version: int
    schema: str


class SqliteFile:
    """An open file.

    Args:
        path: the file, which is made if it is missing.
        fixed: whether the file is only read, and nobody writes to it: one that was exported.

    Raises:
        StoreError: it is of another kind, newer than this version of ours, damaged, locked, or cannot be written; or it should
            be fixed, and lies beside changes that are not in it yet.
    """

    def __init__(self, path: Path, form: Form, fixed: bool = False) -> None:
        self.path = path
        self.form = form
        self._lock = threading.RLock()
        with self._explained():
            if fixed:
                self._check_whole()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
            address = f"{path.absolute().as_uri()}?{'mode=ro&immutable=1' if fixed else 'mode=rwc'}"
            self._connection = sqlite3.connect(
                address, timeout=PATIENCE, isolation_level=None, check_same_thread=False, uri=True
            )
            finalize(self, self._connection.close)  # Python 3.13 warns of one that is left open
            try:
                version = self._version()
                if not fixed:
                    self._prepare(version)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def check(self) -> None:
        """Look through the whole file; raises StoreError for damage, such as a page that lists fewer rows than it has."""
        with self._explained(), self._lock:
            if self._connection.execute("PRAGMA integrity_check(1)").fetchall() != [("ok",)]:
                raise StoreError(f"{shown_path(self.path)}: it is damaged")

    def seal(self) -> None:
        """Close the file so that it is complete by itself, to be carried elsewhere; raises StoreError."""
        with self._explained(), self._lock:
            self._connection.execute("PRAGMA journal_mode = DELETE")
            self._connection.close()

    def _check_whole(self) -> None:
        beside = self.path.resolve()
        beside = beside.with_name(f"{beside.name}-wal")
        if beside.is_file() and beside.stat().st_size:
            raise StoreError(
                f"{shown_path(self.path)}: a part of it is in {beside.name}, as of a file that a run writes to\n"
                f"  let the run end, or carry what is exported: python -m harness store export FILE --store {shown_path(self.path)}"
            )

    def _version(self) -> int:
        """The format of the file, 0 if it is new; raises StoreError if it is no store, or newer."""
        self._connection.execute("BEGIN")  # another process may be making the file
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (mark,) = self._connection.execute("PRAGMA application_id").fetchone()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        self._connection.execute("COMMIT")
        if mark != self.form.mark and (mark or version or tables):
            raise StoreError(
                f"{shown_path(self.path)}: is a database of something else, not {self.form.name}"
            )
        if version > self.form.version:
            raise StoreError(
                f"{shown_path(self.path)}: was written by a newer version (format {version}; this one reads {self.form.version})"
            )
        return int(version)

    def _prepare(self, version: int) -> None:
        """Set how the file is written, and make its tables if it is new."""
        connection = self._connection
        with suppress(sqlite3.OperationalError):  # another process is just doing the same
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        if version < self.form.version:
            connection.execute("BEGIN IMMEDIATE")
            for statement in filter(str.strip, self.form.schema.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {self.form.mark}")
            connection.execute(f"PRAGMA user_version = {self.form.version}")
            connection.execute("COMMIT")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; nothing of it is kept after an error."""
        with self._explained(), self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn SQLite's errors into StoreError."""
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:  # ValueError: JSON that is none
            raise StoreError(f"{shown_path(self.path)}: {self._why(error)}") from error

    def _why(self, error: Exception) -> str:
        """What is wrong with the file, in words."""
        words = str(error)
        for part, why in {
            "locked": f"another process has it locked for more than {PATIENCE:g} seconds",
            "readonly": "it may not be written",
            "unable to open": "it cannot be opened or made",
            "not a database": f"it is damaged, or not {self.form.name}",
            "malformed": "it is damaged",
            "no such table": f"it is empty, and not {self.form.name}",
            "full": "the disk is full",
        }.items():
            if part in words:
                return why
        return reason(error) if isinstance(error, OSError) else first_line(error)


def only_readable(path: Path) -> bool:
    """Whether a file's folder takes no file beside it, which SQLite needs, so that one that is there opens as fixed alone."""
    return path.is_file() and not os.access(path.resolve().parent, os.W_OK)
