"""Share the answers to suites between the processes of one run, so that each suite is asked by one of them.

All gates of a run are decided together, so every process needs all answers. A process takes a suite by locking a file, and
leaves the answers in another; where a process dies, the system releases its lock, and the answers are missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from harness.digest import digest
from harness.engine.requests import Side
from harness.errors import HarnessError
from harness.evaluation.ask import Answered
from harness.evaluation.suite_run import SuiteRun, attempts_at
from harness.gate.compare import Pair
from harness.gate.stopping import Stop
from harness.reporting.rows import AgainRow, AnswerRow, NoiseRow
from harness.writing import write_whole

POLL = 0.1
"""Seconds between two looks at suites that other processes ask."""

SIDES: Sequence[Side] = ("baseline", "tuned")


class DiedError(Exception):
    """The process that asked a suite died; another one that asked it would die too."""


class Exchange:
    """A folder of one run, in which each suite has a lock and, once it was asked, its answers or the error."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def settle(self, run: SuiteRun, ask: Callable[[], None]) -> bool:
        """Whether the answers to a suite are known now: from another process, or by asking for them; False while one asks.

        Raises:
            HarnessError: the suite could not be asked, here or there.
            DiedError: the process that asked it died.
        """
        path = self.folder / f"{digest(run.suite.name)[:32]}.json"
        begun = path.with_suffix(".begun")
        try:
            with FileLock(path.with_suffix(".lock"), timeout=0):
                if not path.exists():
                    if begun.exists():
                        raise DiedError(f"the process that asked the suite '{run.suite.name}' died")
                    begun.touch()
                    self._ask(run, ask, path)
                    return True
        except Timeout:
            return False
        _take(run, json.loads(path.read_text(encoding="utf-8")))
        return True

    def _ask(self, run: SuiteRun, ask: Callable[[], None], path: Path) -> None:
        try:
            ask()
        except HarnessError as error:
            write_whole(path, json.dumps({"error": error.text}))
            raise
        write_whole(path, json.dumps(_given(run)))


def _given(run: SuiteRun) -> dict[str, Any]:
    return {
        **{side: {id: _row(score) for id, score in run.scores[side].items()} for side in SIDES},
        "again": {
            id: [AgainRow.of(attempt).model_dump(mode="json") for attempt in attempts]
            for id, attempts in run.again.items()
        },
        "noise": None if run.noise is None else run.noise.model_dump(mode="json"),
        "stop": None if run.stop is None else asdict(run.stop),
    }


def _take(run: SuiteRun, data: dict[str, Any]) -> None:
    if "error" in data:
        raise HarnessError(data["error"])
    for side in SIDES:
        scores = {id: AnswerRow(**row).scored() for id, row in data[side].items()}
        answers = {id: score.answer for id, score in scores.items() if score.answer is not None}
        run.know(side, Answered(answers, scores))
    run.noise = None if data["noise"] is None else NoiseRow(**data["noise"])
    if stop := data["stop"]:
        run.end(Stop(**{**stop, "asked": tuple(stop["asked"])}))
    by_id = {probe.id: probe for probe in run.suite.probes}
    for id, written in data["again"].items():
        rows = [AgainRow.model_validate(row) for row in written]
        attempts = zip(attempts_at(by_id[id], [row.fields for row in rows]), rows, strict=True)
        run.again[id] = tuple(
            Pair(probe, row.baseline.scored(), row.tuned.scored()) for probe, row in attempts
        )


def _row(score: Any) -> dict[str, Any]:
    return AnswerRow.of(score).model_dump(mode="json")
