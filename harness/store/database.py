"""The file of a store: answers by model and request, and facts, in one SQLite database.

Several processes may use one file at once, and a kill at any moment loses nothing that was kept before. A row that does not
match its own checksum is not there. A model's id stays within one transaction: after `prune` it may be another's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from harness.digest import digest
from harness.store.sqlite_file import Form, SqliteFile
from harness.store.sqlite_file import StoreError as StoreError

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

ID = "(SELECT id FROM models WHERE key = ?)"

FORM = Form("a store of answers", mark=0x46475431, version=1, schema=SCHEMA)

Data = dict[str, Any]
"""An answer as JSON data, as `engine.answers.as_data` makes it."""


@dataclass(frozen=True)
class Stored:
    """A model of a store: `content` is what its answers depend on, and its name is no part of."""

    name: str
    content: Mapping[str, Any]

    @cached_property
    def key(self) -> str:
        """Equal for models with equal answers."""
        return digest(dict(self.content))


@dataclass(frozen=True)
class Kept(Stored):
    """The same as it is in a file; `used` is the last time, in seconds of Unix time."""

    used: float
    answers: int


class Database(SqliteFile):
    """An open store; raises StoreError as SqliteFile does."""

    def __init__(self, path: Path, fixed: bool = False) -> None:
        super().__init__(path, FORM, fixed)

    # Answers

    def use(self, model: Stored) -> None:
        """Note that a model is used now, so that it is not pruned; raises StoreError."""
        with self._writing() as connection:
            _used(connection, model)

    def answers(self, model: Stored, requests: Sequence[str]) -> dict[str, Data]:
        """The kept answers of a model by the keys of requests; raises StoreError."""
        found: dict[str, Data] = {}
        with self._explained(), self._lock:
            for begin in range(0, len(requests), AT_ONCE):
                some = requests[begin : begin + AT_ONCE]
                places = ", ".join("?" * len(some))
                rows = self._connection.execute(
                    f"SELECT request, answer, checksum FROM answers WHERE model = {ID} AND request IN ({places})",  # nosec B608
                    (model.key, *some),
                )
                found |= {
                    request: json.loads(answer)
                    for request, answer, checksum in rows
                    if checksum == _checksum(request, answer)
                }
        return found

    def keep(self, model: Stored, answers: Mapping[str, Data]) -> None:
        """Keep answers of a model by the keys of their requests; raises StoreError."""
        rows = [(request, _text(data)) for request, data in answers.items()]
        with self._writing() as connection:
            _used(connection, model)
            connection.executemany(
                f"INSERT OR REPLACE INTO answers VALUES ({ID}, ?, ?, ?)",  # nosec B608
                [(model.key, request, answer, _checksum(request, answer)) for request, answer in rows],
            )

    # Facts

    def fact(self, key: str) -> Any:
        """What was kept under a key, or None; raises StoreError."""
        with self._writing() as connection:
            row = connection.execute("SELECT value, checksum FROM facts WHERE key = ?", (key,)).fetchone()
            connection.execute("UPDATE facts SET used = ? WHERE key = ?", (time.time(), key))
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
                "SELECT name, content, used, count(request) FROM models "
                "LEFT JOIN answers ON answers.model = models.id GROUP BY models.id ORDER BY used DESC, models.id"
            ).fetchall()
            return [Kept(name, json.loads(content), used, answers) for name, content, used, answers in rows]

    def all_answers(self, model: Stored) -> dict[str, Data]:
        """All answers of a model by the keys of requests; raises StoreError."""
        with self._explained(), self._lock:
            rows = self._connection.execute(
                f"SELECT request FROM answers WHERE model = {ID}",  # nosec B608
                (model.key,),
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


def _used(connection: Connection, model: Stored) -> None:
    connection.execute(
        "INSERT INTO models (key, name, content, used) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (key) DO UPDATE SET name = excluded.name, used = excluded.used",
        (model.key, model.name, _text(model.content), time.time()),
    )


def _text(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def _checksum(*parts: str) -> bytes:
    return blake2b("\0".join(parts).encode(), digest_size=8).digest()
