"""A server's reference and a number of clients in, what they took and whether each probe was answered once out."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from benchmarks.scale.client import READY
from benchmarks.scale.watch import Queue, Watch
from benchmarks.speed.processes import ROOT


@dataclass(frozen=True)
class Round:
    """What so many clients took together.

    Attributes:
        seconds: from the first question to the last answer; opening the engines is left out.
        written: tokens of all answers.
        again: requests that were sent again.
        lost, twice: probes without an answer, and answers beyond the first of a probe.
        queue: of the server; None if it does not tell.
        server: in its own words.
    """

    clients: int
    probes: int
    seconds: float
    written: int
    again: int
    lost: int
    twice: int
    queue: Queue | None
    server: str

    @property
    def whole(self) -> bool:
        """Whether each probe was answered once."""
        return not self.lost and not self.twice


def asked_by(clients: int, reference: str, probes: range) -> Round:
    """Ask probes by so many processes, each its share; raises RuntimeError if one fails."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _started(clients, reference, probes, Path(folder)) as started,
    ):
        for client in started:
            client.wait_until_ready()
        with Watch(reference) as watch:
            began = time.perf_counter()
            for client in started:
                client.go()
            found = [client.found() for client in started]
            ended = time.perf_counter()
    counted = Counter(number for each in found for number in each["answered"])
    return Round(
        clients,
        len(probes),
        ended - began,
        sum(each["written"] for each in found),
        sum(each["again"] for each in found),
        lost=sum(number not in counted for number in probes),
        twice=counted.total() - len(counted),
        queue=watch.queue(began, ended),
        server=found[0]["server"],
    )


def shares(probes: range, clients: int) -> list[range]:
    """The probes of each client; their numbers differ by one at most."""
    ends = [len(probes) * place // clients for place in range(clients + 1)]
    return [probes[first:end] for first, end in pairwise(ends)]


class _Client:
    """A process that asks a share of the probes."""

    def __init__(self, reference: str, share: range, errors: Path) -> None:
        self.errors = errors
        command = ["benchmarks.scale.client", reference, str(share.start), str(share.stop)]
        with errors.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, text=True, encoding="utf-8",
            )  # fmt: skip

    def wait_until_ready(self) -> None:
        if self._line().strip() != READY:
            self._fail()

    def go(self) -> None:
        self._pipe(self.process.stdin).write("\n")
        self._pipe(self.process.stdin).flush()

    def found(self) -> dict[str, Any]:
        if not (line := self._line()):
            self._fail()
        found: dict[str, Any] = json.loads(line)
        return found

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            self._pipe(pipe).close()

    def _line(self) -> str:
        return self._pipe(self.process.stdout).readline()

    def _fail(self) -> None:
        code = self.process.wait()
        raise RuntimeError(
            f"a client ended with {code}:\n{self.errors.read_text(encoding='utf-8', errors='replace')[-3000:]}"
        )

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


@contextmanager
def _started(clients: int, reference: str, probes: range, folder: Path) -> Iterator[Sequence[_Client]]:
    """The processes, which are stopped at the end."""
    started: list[_Client] = []
    try:
        for place, share in enumerate(shares(probes, clients)):
            started.append(_Client(reference, share, folder / f"{place}.txt"))
        yield started
    finally:
        for client in started:
            client.stop()
