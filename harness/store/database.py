"""The file of a store: answers by model and request, and facts, in one SQLite database.

Several processes may use one file at once, and a kill at any moment loses nothing that was kept before. A row that does not
match its own checksum is not there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
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

FORM = Form("a store of answers", mark=0x46475431, version=1, schema=SCHEMA)

Data = dict[str, Any]
"""An answer as JSON data, as `engine.answers.as_data` makes it."""


@dataclass(frozen=True)
class Kept:
    """A model in a store: `content` is what its answers depend on; `used` is the last time, in seconds of Unix time."""

    number: int
    name: str
    content: dict[str, Any]
    used: float
    answers: int
    bytes: int


class Database(SqliteFile):
    """An open store; raises StoreError as SqliteFile does."""

    def __init__(self, path: Path, fixed: bool = False) -> None:
        super().__init__(path, FORM, fixed)

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


def _text(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def _checksum(*parts: str) -> bytes:
    return blake2b("\0".join(parts).encode(), digest_size=8).digest()


def _places(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)
