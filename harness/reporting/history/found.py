"""What a user calls a run in, its record out: a number in the history, "latest", or the path of a record."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError, shown_path
from harness.reporting.history.file import History
from harness.reporting.latest import record_at
from harness.reporting.rows import Record
from harness.spelling import option
from harness.store.sqlite_file import only_readable
from harness.visible import visible
from harness.wording import some

LATEST = "latest"


@dataclass(frozen=True)
class FoundRun:
    """A record and what it is called."""

    name: str
    record: Record


def find_run(named: str, history: Path) -> FoundRun:
    """The record of a run.

    Raises:
        HarnessError: there is no such run, or its record cannot be read.
    """
    path = Path(named)
    in_reach = history.is_file() or not path.exists()  # else this is the folder of reports, or one of its own
    if in_reach and (named == LATEST or named.isdecimal()):
        return _kept(named, history)
    if not path.exists():
        raise HarnessError(
            f"{visible(named)}: is no run\n  name its number in the history, '{LATEST}', or its record.json"
        )
    return FoundRun(shown_path(path), record_at(path))


def open_history(path: Path) -> History:
    """A history that is there; raises HarnessError if it is not, or cannot be used."""
    if not path.is_file():
        raise HarnessError(
            f"{shown_path(path)}: there is no history\n  run the gate, which keeps one, or name another: {option('history', 'FILE')}"
        )
    return History(path, fixed=only_readable(path))


def _kept(named: str, path: Path) -> FoundRun:
    with closing(open_history(path)) as history:
        numbers = history.numbers()
        if not numbers:
            raise HarnessError(f"{shown_path(path)}: holds no runs\n  run the gate once")
        number = numbers[-1] if named == LATEST else int(named[:18])
        record = history.record(number)
    if record is None:
        raise HarnessError(
            f"{shown_path(path)}: has no run {visible(named[:18])}\n  it has {_listed(numbers)}"
        )
    return FoundRun(f"run {number}", record)


def _listed(numbers: Sequence[int]) -> str:
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else f"run {numbers[0]} alone"
    return some([str(number) for number in numbers], 20)
