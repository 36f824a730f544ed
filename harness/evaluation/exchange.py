"""Share the answers to suites between the processes of one run, so that each question is asked by one of them.

All gates of a run are decided together, so every process needs all answers. A process takes a suite, asks what it needs in parts
of which others take some, judges all answers and leaves them for the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.digest import digest
from harness.engine.requests import SIDES, Answer, Engine, Progress, Request, Side
from harness.errors import HarnessError
from harness.evaluation.ask import Answered
from harness.evaluation.asking import ASKS
from harness.evaluation.jobs import Jobs
from harness.evaluation.suite_run import SuiteRun, attempts_at
from harness.evaluation.tasks import DiedError, Task
from harness.gate.compare import Pair
from harness.gate.stopping import Stop
from harness.reporting.rows import AgainRow, AnswerRow, NoiseRow
from harness.writing import write_whole

PLAN = "plan"
BEGUN = "begun"
HERE = ".here"
"""The end of the name of a file that says which process is at work."""


class Exchange:
    """What the processes of one run know together, in a folder.

    Args:
        name: of this process.
        processes: how many there are.
    """

    def __init__(self, folder: Path, name: str = "", processes: int = 1) -> None:
        self.folder = folder
        self.name = name
        self.jobs = Jobs(folder, processes)

    def settle(self, run: SuiteRun, ask: Callable[[], Sequence[str]]) -> list[str] | None:
        """The notes on a suite once its answers are known: from another process, or by asking for them; None while one asks.

        Args:
            ask: asks both models, and returns notes for the user.

        Raises:
            HarnessError: the suite could not be asked, here or there.
            DiedError: a process that asked it died.
        """
        task = self._task(run.suite.name)
        here: list[list[str] | HarnessError] = []

        def work() -> str:
            try:
                here.append([*ask()])
            except HarnessError as error:
                here.append(error)
                return json.dumps({"error": error.text})
            return json.dumps({**_given(run), "notes": here[0]})

        try:
            if not task.do(work):
                return None
        except DiedError:
            raise DiedError(f"a process that asked the suite '{run.suite.name}' died") from None
        for found in here:
            if isinstance(found, HarnessError):
                raise found
            return found
        return _take(run, task.result())

    def known(self, run: SuiteRun) -> list[str] | None:
        """The same without asking; None as long as no process has asked it to the end."""
        return _take(run, task.result()) if (task := self._task(run.suite.name)).is_known else None

    @contextmanager
    def together(self, suite: str, engines: Callable[[Side], Engine]) -> Iterator[Callable[[Side], Engine]]:
        """Ask engines about a suite together with processes that have nothing else to do, as long as the block lasts."""
        known: dict[Side, Engine] = {}

        def engine(side: Side) -> Engine:
            return known.setdefault(side, engines(side))

        def asks(engine: Engine, requests: Sequence[Request], progress: Progress | None) -> Sequence[Answer]:
            return self.jobs.ask(suite, known, engine, requests, progress)

        token = ASKS.set(asks)
        try:
            yield engine
        finally:
            ASKS.reset(token)

    # Who is at work, and what is missing at the end

    def join(self, probes: Mapping[str, Collection[str]]) -> None:
        """Begin to work on these probes, by suite; they are equal in all processes."""
        (self.folder / f"{self.name}{HERE}").touch()
        if not (self.folder / PLAN).exists():
            write_whole(self.folder / PLAN, json.dumps({name: list(ids) for name, ids in probes.items()}))

    def begin(self) -> None:
        """Note that the run has begun; it may have been refused though its processes are there."""
        (self.folder / BEGUN).touch()

    @property
    def has_begun(self) -> bool:
        """Whether anything is to be asked."""
        return (self.folder / BEGUN).exists()

    def part(self, name: str) -> None:
        """Note that a process has ended, or died."""
        (self.folder / f"{name}{HERE}").unlink(missing_ok=True)

    @property
    def is_alone(self) -> bool:
        """Whether no other process is at work."""
        return all(file.stem == self.name for file in self.folder.glob(f"*{HERE}"))

    def missing(self) -> dict[str, list[str]]:
        """The probes of suites whose answers no process left, by suite."""
        file = self.folder / PLAN
        planned: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return {name: ids for name, ids in planned.items() if not self._task(name).is_known}

    def _task(self, suite: str) -> Task:
        return Task(self.folder / f"{digest(suite)[:32]}.json")


def _given(run: SuiteRun) -> dict[str, Any]:
    return {
        **{
            side: {id: AnswerRow.of(score).model_dump(mode="json") for id, score in run.scores[side].items()}
            for side in SIDES
        },
        "again": {
            id: [AgainRow.of(attempt).model_dump(mode="json") for attempt in attempts]
            for id, attempts in run.again.items()
        },
        "noise": None if run.noise is None else run.noise.model_dump(mode="json"),
        "stop": None if run.stop is None else asdict(run.stop),
    }


def _take(run: SuiteRun, data: dict[str, Any]) -> list[str]:
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
    return list(data["notes"])
