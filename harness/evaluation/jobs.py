"""Requests of one process in, answers that several processes gave to parts of them out.

Who asks a suite leaves its requests in a file, and asks part after part; a process with nothing else to do takes parts too. Each
part is asked once, and who left them judges all answers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from harness.digest import digest
from harness.engine.abilities import Batches
from harness.engine.answers import as_answer, as_data, as_request, request_data
from harness.engine.checked import checked
from harness.engine.cutting import cut
from harness.engine.requests import Answer, Engine, Generated, Progress, Request, Side
from harness.engine.reshaped import original, with_budget
from harness.evaluation.tasks import DiedError, Task
from harness.writing import write_whole

POLL = 0.05
"""Seconds between two looks at what other processes do."""

ENDING = ".job"


@dataclass(frozen=True)
class Job:
    """Requests of a suite to one model, in parts; `budget` is that of its batches, in tokens, None for the engine's own."""

    file: Path
    suite: str
    side: Side
    budget: int | None
    requests: Sequence[Request]
    parts: Sequence[Sequence[int]]

    def tasks(self) -> Iterator[tuple[Sequence[int], Task]]:
        """Each part and its task, whose result are the answers; null if whoever took it could not ask it."""
        for number, part in enumerate(self.parts):
            yield part, Task(self.file.with_name(f"{self.file.stem}-{number}.json"))

    def of(self, part: Sequence[int]) -> list[Request]:
        """The requests of a part."""
        return [self.requests[index] for index in part]

    def leave(self) -> None:
        """Write it to its file, for others to find."""
        values = {name: getattr(self, name) for name in ("suite", "side", "budget", "parts")}
        requests = [request_data(request) for request in self.requests]
        write_whole(self.file, json.dumps({**values, "requests": requests}))

    @classmethod
    def found(cls, file: Path) -> Job:
        """The job that another process left; raises FileNotFoundError if it has ended."""
        values = json.loads(file.read_text(encoding="utf-8"))
        return cls(file, **{**values, "requests": [as_request(data) for data in values["requests"]]})


class Jobs:
    """The jobs of all processes of a run, in a folder."""

    def __init__(self, folder: Path, processes: int) -> None:
        self.folder = folder
        self.processes = processes
        self._numbers = count()
        self._known: dict[Path, Job] = {}

    def ask(
        self,
        suite: str,
        engines: Mapping[Side, Engine],
        engine: Engine,
        requests: Sequence[Request],
        progress: Progress | None,
    ) -> Sequence[Answer]:
        """Ask an engine, one of `engines` or one of them with other batches, together with processes that help.

        Raises:
            DiedError: a process that helped died.
        """
        side = next((side for side, known in engines.items() if known is original(engine)), None)
        parts = cut(engine, requests, self.processes)
        if side is None or len(parts) < 2:
            return engine.ask(requests, progress)
        name = f"{digest(suite)[:32]}-{next(self._numbers)}"
        reshaped = engine is not original(engine)
        budget = engine.budget.tokens if reshaped and isinstance(engine, Batches) else None
        job = Job(self.folder / f"{name}{ENDING}", suite, side, budget, requests, parts)
        job.leave()
        try:
            return _Asking(job, engine, progress).answers()
        except _OddError:
            return engine.ask(requests, progress)  # whoever asked for the answers says what is odd
        finally:
            job.file.unlink()

    def help(
        self,
        suites: Collection[str],
        engines: Callable[[Side], Engine],
        progress: Callable[[str, Side], Progress] | None,
    ) -> bool:
        """Ask a part of another process's job about one of these suites; False if there is none."""
        for job in self._others():
            for part, task in job.tasks() if job.suite in suites else ():
                with suppress(DiedError):  # who began it between two looks died
                    if task.is_free and task.do(lambda: _helped(job, part, engines, progress)):  # noqa: B023
                        return True
        return False

    def _others(self) -> Iterator[Job]:
        for file in sorted(self.folder.glob(f"*{ENDING}")):
            try:
                job = self._known[file] = self._known.get(file) or Job.found(file)
            except FileNotFoundError:
                continue
            yield job


class _Asking:
    """Ask a job's parts that nobody else has taken, and then wait for the others."""

    def __init__(self, job: Job, engine: Engine, progress: Progress | None) -> None:
        self.job = job
        self.engine = engine
        self.progress = progress
        self.known: dict[int, Answer] = {}
        self.failure: Exception | None = None

    def answers(self) -> list[Answer]:
        """The answers to all requests, in order; raises what the engine raises for the first part that it cannot answer."""
        waiting = list(self.job.tasks())
        while waiting:
            rest = []
            for part, task in waiting:
                try:
                    known = self._settled(part, task)
                except DiedError:
                    raise
                except Exception as error:
                    self.failure = error  # unless an earlier part, which another process is at, fails too
                    break
                rest += [] if known else [(part, task)]
            if rest == waiting:
                time.sleep(POLL)
            waiting = rest
        if self.failure:
            raise self.failure
        return [self.known[index] for index in range(len(self.job.requests))]

    def _settled(self, part: Sequence[int], task: Task) -> bool:
        """Whether the answers to a part are known now: by asking, or from another process."""
        if not task.do(lambda: self._asked(part)):
            return False
        if part[0] not in self.known:
            answers = task.result()
            if answers is None:
                self._ask(part)  # the other could not; this process comes upon the reason, and tells it
            else:
                self._know(part, [as_answer(answer) for answer in answers])
        return True

    def _asked(self, part: Sequence[int]) -> str:
        self._ask(part)
        return "null"  # for nobody else

    def _ask(self, part: Sequence[int]) -> None:
        before, whole, shown = len(self.known), len(self.job.requests), self.progress

        def progress(done: int, total: int) -> None:
            assert shown is not None
            shown(before + done, whole)

        answers = self.engine.ask(self.job.of(part), progress if shown else None)
        if not isinstance(answers, Sequence) or len(answers) != len(part):
            raise _OddError
        self._know(part, answers)

    def _know(self, part: Sequence[int], answers: Sequence[Answer]) -> None:
        self.known |= zip(part, answers, strict=True)
        if self.progress:
            self.progress(len(self.known), len(self.job.requests))


class _OddError(Exception):
    """An engine gave something else than an answer to each request."""


def _helped(
    job: Job,
    part: Sequence[int],
    engines: Callable[[Side], Engine],
    progress: Callable[[str, Side], Progress] | None,
) -> str:
    """The answers to a part; null where there are none, so that whoever left the job comes upon the reason."""
    requests = job.of(part)
    try:
        engine = engines(job.side)
        if job.budget is not None:
            engine = with_budget(engine, job.budget)
        shown = progress(f"part of {job.suite}", job.side) if progress else None
        return json.dumps(list(map(_sent, checked(engine.label, engine.ask(requests, shown), requests))))
    except KeyboardInterrupt:
        raise
    except BaseException:  # whatever a user's engine raises, or gives for an answer
        return "null"


def _sent(answer: Answer) -> dict[str, Any]:
    """An answer as JSON data, its text exactly as it is."""
    data = as_data(answer)
    if isinstance(answer, Generated):
        data["text"] = answer.text
        if answer.reasoning:
            data["reasoning"] = answer.reasoning.text
    return data
