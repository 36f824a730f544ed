"""The file of a store: answers by model and request, and facts, in one SQLite database.

Several processes may use one file at once, and a kill at any moment loses nothing that was kept before. A row that does not
match its own checksum is not there.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from harness.digest import digest
from harness.errors import HarnessError, first_line, shown_path

VERSION = 1
"""Of the schema; a newer file is not read."""

MARK = 0x46475431
"""SQLite's `application_id` of a store."""

PATIENCE = 10.0
"""Seconds to wait for another process that writes."""

AT_ONCE = 500
"""Keys in one query; SQLite takes at most 999 parameters in old versions."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS models (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, content TEXT NOT NULL, used REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS answers (
    model INTEGER NOT NULL REFERENCES models ON DELETE CASCADE, request TEXT NOT NULL, answer TEXT NOT NULL,
    checksum BLOB NOT NULL, PRIMARY KEY (model, request)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (
    key TEXT PRIMARY KEY, value TEXT NOT NULL, checksum BLOB NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
"""

Data = dict[str, Any]
"""An answer as JSON data, as `engine.answers.as_data` makes it."""


class StoreError(HarnessError):
    """A store that cannot be used."""


@dataclass(frozen=True)
class Kept:
    """A model in a store: `content` is what its answers depend on; `used` is the last time, in seconds of Unix time."""

    number: int
    name: str
    content: dict[str, Any]
    used: float
    answers: int
    bytes: int


class Database:
    """An open store.

    Args:
        path: its file, which is made if it is missing.
        fixed: whether the file is only read, and nobody writes to it: one that was exported.

    Raises:
        StoreError: it is no store, newer than this version of ours, damaged, locked, or cannot be written.
    """

    def __init__(self, path: Path, fixed: bool = False) -> None:
        self.path = path
        self._lock = threading.RLock()
        with self._explained():
            if not fixed:
                path.parent.mkdir(parents=True, exist_ok=True)
            address = f"{path.absolute().as_uri()}?{'mode=ro&immutable=1' if fixed else 'mode=rwc'}"
            self._connection = sqlite3.connect(
                address, timeout=PATIENCE, isolation_level=None, check_same_thread=False, uri=True
            )
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

    def seal(self) -> None:
        """Close the file so that it is complete by itself, to be carried elsewhere; raises StoreError."""
        with self._explained(), self._lock:
            self._connection.execute("PRAGMA journal_mode = DELETE")
            self._connection.close()

    # Answers

    def model(self, name: str, content: Mapping[str, Any]) -> int:
        """The number in this file of the model whose answers depend on `content`, which its name is no part of.

        Raises:
            StoreError: the file cannot be used.
        """
        key = digest(dict(content))
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO models (key, name, content, used) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (key) DO UPDATE SET name = excluded.name, used = excluded.used",
                (key, name, _text(content), time.time()),
            )
            (number,) = connection.execute("SELECT id FROM models WHERE key = ?", (key,)).fetchone()
        return int(number)

    def answers(self, model: int, requests: Sequence[str]) -> dict[str, Data]:
        """The kept answers of a model by the keys of requests; raises StoreError."""
        found: dict[str, Data] = {}
        with self._explained(), self._lock:
            for begin in range(0, len(requests), AT_ONCE):
                some = requests[begin : begin + AT_ONCE]
                rows = self._connection.execute(
                    f"SELECT request, answer, checksum FROM answers WHERE model = ? AND request IN ({_places(some)})",  # nosec B608
                    (model, *some),
                )
                found |= {
                    request: json.loads(answer)
                    for request, answer, checksum in rows
                    if checksum == _checksum(request, answer)
                }
        return found

    def keep(self, model: int, answers: Mapping[str, Data]) -> None:
        """Keep answers by the keys of their requests; raises StoreError."""
        rows = [(request, _text(data)) for request, data in answers.items()]
        with self._writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)",
                [(model, request, answer, _checksum(request, answer)) for request, answer in rows],
            )

    # Facts

    def fact(self, key: str) -> Any:
        """What was kept under a key, or None; raises StoreError."""
        with self._explained(), self._lock:
            row = self._connection.execute(
                "SELECT value, checksum FROM facts WHERE key = ?", (key,)
            ).fetchone()
        return json.loads(row[0]) if row and row[1] == _checksum(key, row[0]) else None

    def keep_fact(self, key: str, value: Any) -> None:
        """Keep JSON data under a key; raises StoreError."""
        written = _text(value)
        with self._writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?)",
                (key, written, _checksum(key, written), time.time()),
            )

    # The whole

    def models(self) -> list[Kept]:
        """The models in the file, the last used first; raises StoreError."""
        with self._explained(), self._lock:
            rows = self._connection.execute(
                "SELECT models.id, name, content, used, count(request), coalesce(sum(length(answer)), 0) FROM models "
                "LEFT JOIN answers ON answers.model = models.id GROUP BY models.id ORDER BY used DESC, models.id"
            ).fetchall()
            return [Kept(number, name, json.loads(content), *rest) for number, name, content, *rest in rows]

    def all_answers(self, model: int) -> dict[str, Data]:
        """All answers of a model by the keys of requests; raises StoreError."""
        with self._explained(), self._lock:
            rows = self._connection.execute(
                "SELECT request FROM answers WHERE model = ?", (model,)
            ).fetchall()
        return self.answers(model, [request for (request,) in rows])

    def prune(self, before: float) -> int:
        """Remove models that were not used since a Unix time, with their answers, and old facts; returns how many models.

        Raises:
            StoreError: the file cannot be written.
        """
        with self._writing() as connection:
            removed = connection.execute("DELETE FROM models WHERE used < ?", (before,)).rowcount
            connection.execute("DELETE FROM facts WHERE used < ?", (before,))
        with self._explained(), self._lock:
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return removed

    # Below

    def _version(self) -> int:
        """The format of the file, 0 if it is new; raises StoreError if it is no store, or newer."""
        self._connection.execute("BEGIN")  # another process may be making the file
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (mark,) = self._connection.execute("PRAGMA application_id").fetchone()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        self._connection.execute("COMMIT")
        if mark != MARK and (mark or version or tables):
            raise StoreError(
                f"{shown_path(self.path)}: is a database of something else, not a store of answers"
            )
        if version > VERSION:
            raise StoreError(
                f"{shown_path(self.path)}: was written by a newer version (format {version}; this one reads {VERSION})"
            )
        return int(version)

    def _prepare(self, version: int) -> None:
        """Set how the file is written, and make its tables if it is new."""
        connection = self._connection
        with suppress(sqlite3.OperationalError):  # another process is just doing the same
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        if version < VERSION:
            connection.execute("BEGIN IMMEDIATE")
            for statement in filter(str.strip, SCHEMA.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {MARK}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
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
            raise StoreError(f"{shown_path(self.path)}: {_why(error)}") from error


def _why(error: Exception) -> str:
    """What is wrong with the file of a store, in words."""
    words = str(error)
    for part, why in {
        "locked": f"another process has it locked for more than {PATIENCE:g} seconds",
        "readonly": "it may not be written",
        "unable to open": "it cannot be opened or made",
        "not a database": "it is damaged, or no store",
        "malformed": "it is damaged",
        "full": "the disk is full",
    }.items():
        if part in words:
            return why
    return first_line(error)


def _text(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def _checksum(*parts: str) -> bytes:
    return blake2b("\0".join(parts).encode(), digest_size=8).digest()


def _places(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)
