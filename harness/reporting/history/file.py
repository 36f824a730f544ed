"""The file of a history: every record whole, and beside each the few numbers that a list of runs shows."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import ValidationError

from harness.errors import shown_path
from harness.limits import MOST_RECORD_BYTES
from harness.reporting.rows import Record
from harness.store.sqlite_file import Form, SqliteFile, StoreError

FILE = "history.db"
OFF = "off"

FORM = Form(
    "a history of runs",
    mark=0x46474831,
    version=1,
    schema="""
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, kept REAL NOT NULL, summary TEXT NOT NULL,
    record BLOB NOT NULL, checksum BLOB NOT NULL
);
""",
)

GATE = (
    "suite", "slice", "over", "n", "baseline_accuracy", "tuned_accuracy", "drop", "interval", "max_drop", "rise", "max_rise",
    "verdict", "outcome", "accepted", "without_accepted",
)  # fmt: skip
"""What a list of runs keeps of each gate that is not over single probes, and of a suite without a gate over all of it."""


@dataclass(frozen=True)
class KeptRun:
    """One run as a list shows it; `gates` have the keys of `GATE`."""

    number: int
    started: str
    status: str
    tuned: str
    baseline: str
    weights: str | None
    gates: Sequence[dict[str, Any]]


def history_path(report: Path, given: str | None) -> Path | None:
    """The file of the history: the given one, else beside the report's folder; None for "off".

    A folder in no folder of the working folder has its own inside, for beside it nothing is ours.
    """
    if given == OFF:
        return None
    if given:
        return Path(given).expanduser()
    here = Path.cwd().resolve()
    beside = report.resolve().parent
    return (report.parent if beside != here and beside.is_relative_to(here) else report) / FILE


def keep_run(path: Path, key: str, record: Record) -> int:
    """Keep the record of a run under a key of its own, again in the place of an earlier one; returns its number.

    Raises:
        StoreError: the file cannot be used.
    """
    with closing(History(path)) as history:
        return history.keep(key, record)


def where_kept(report: Path, given: str | None, key: str, record: Record) -> str:
    """Keep the record of a run, which fails no run; where it is, or why it is not, in words, and "" for no history."""
    if (path := history_path(report, given)) is None:
        return ""
    try:
        return f"run {keep_run(path, key, record)} of {shown_path(path)}"
    except StoreError as error:
        return f"this run is not in it: {error.on_command_line}"


class History(SqliteFile):
    """An open history; raises StoreError as SqliteFile does."""

    def __init__(self, path: Path, fixed: bool = False) -> None:
        super().__init__(path, FORM, fixed)

    def keep(self, key: str, record: Record) -> int:
        """Keep a record; returns the number of its run. Raises StoreError."""
        packed = zlib.compress(record.model_dump_json().encode())
        values = (key, time.time(), json.dumps(_summary(record)), packed, _checksum(packed))
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO runs (key, kept, summary, record, checksum) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE "
                "SET kept = excluded.kept, summary = excluded.summary, record = excluded.record, "
                "checksum = excluded.checksum",
                values,
            )
            (number,) = connection.execute("SELECT number FROM runs WHERE key = ?", (key,)).fetchone()
        return int(number)

    def runs(self, last: int | None = None) -> list[KeptRun]:
        """The runs, or the last of them, in the order in which they were kept; raises StoreError."""
        with self._explained(), self._lock:
            rows = self._connection.execute(
                "SELECT number, summary FROM runs ORDER BY number DESC LIMIT ?",
                (-1 if last is None else last,),
            ).fetchall()
            return [_kept(number, summary) for number, summary in reversed(rows)]

    def numbers(self) -> list[int]:
        """The numbers of all runs; raises StoreError."""
        with self._explained(), self._lock:
            return [
                number for (number,) in self._connection.execute("SELECT number FROM runs ORDER BY number")
            ]

    def record(self, number: int) -> Record | None:
        """The record of a run; None if there is none of this number. Raises StoreError, also for a damaged one."""
        with self._explained(), self._lock:
            row = self._connection.execute(
                "SELECT record, checksum FROM runs WHERE number = ?", (number,)
            ).fetchone()
            if row is None:
                return None
            packed, checksum = row
            if checksum != _checksum(packed):
                raise ValueError(f"run {number} is damaged")
            try:
                unpacked = zlib.decompressobj().decompress(packed, MOST_RECORD_BYTES)
                return Record.model_validate_json(unpacked)
            except (zlib.error, ValidationError) as error:
                raise ValueError(f"run {number} is not the record of a run, version 1") from error

    def prune(self, before: float) -> int:
        """Remove the runs that were kept before a Unix time; returns how many. Raises StoreError."""
        with self._writing() as connection:
            removed = connection.execute("DELETE FROM runs WHERE kept < ?", (before,)).rowcount
        with self._explained(), self._lock:
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return removed


def _summary(record: Record) -> dict[str, Any]:
    """A KeptRun without its number."""
    run = record.run
    gates = [row.model_dump(mode="json", include=set(GATE)) for row in record.gates if row.over != "each"]
    return {
        "started": run.started,
        "status": run.status,
        "tuned": run.tuned.reference if run.tuned else "",
        "baseline": run.baseline.reference if run.baseline else "",
        "weights": run.tuned.weights if run.tuned else None,
        "gates": [*gates, *_pooled(record)],
    }


def _pooled(record: Record) -> Iterator[dict[str, Any]]:
    """What a list shows of each suite that has no gate over all of it: its probes together, without a verdict."""
    whole = {row.suite for row in record.gates if row.over == "all"}
    for suite in dict.fromkeys(row.suite for row in record.probes if row.suite not in whole):
        rows = [row for row in record.probes if row.suite == suite]
        tuned = fmean(row.tuned.right for row in rows)
        before = [row.baseline.right for row in rows if row.baseline]
        baseline = fmean(before) if len(before) == len(rows) else None
        yield {
            "suite": suite,
            "slice": "all",
            "over": "all",
            "n": len(rows),
            "baseline_accuracy": baseline,
            "tuned_accuracy": tuned,
            "drop": None if baseline is None else baseline - tuned,
        }


def _kept(number: int, summary: str) -> KeptRun:
    """A run of a list; raises ValueError for a damaged one."""
    try:
        values = json.loads(summary)
        gates = [{**dict.fromkeys(GATE), **gate} for gate in values["gates"]]
        return KeptRun(number, **{**values, "gates": gates})
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"run {number} is damaged") from error


def _checksum(packed: bytes) -> bytes:
    return blake2b(packed, digest_size=8).digest()
