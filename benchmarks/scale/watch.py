"""A server's /metrics in, how many requests it computes and how many wait out; vLLM tells both."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from types import TracebackType
from urllib.request import ProxyHandler, build_opener

from harness.engine.server.address import read_address

EVERY = 0.25
"""Seconds between two looks."""

MIDDLE = 0.8
"""Share of the time that counts; the beginning, when the queue fills, and the end, when it empties, are left out."""

RUNNING, WAITING = "vllm:num_requests_running", "vllm:num_requests_waiting"
TIMEOUT = 5.0


@dataclass(frozen=True)
class Sample:
    """What a server, or several together, computed at a time, and what waited there."""

    at: float
    running: float
    waiting: float


@dataclass(frozen=True)
class Queue:
    """Medians of requests that ran and waited, and the share of looks at which one waited."""

    running: float
    waiting: float
    full: float


def gauge(text: str, name: str) -> float | None:
    """The sum of a gauge over its labels, from Prometheus's text format; None if it is not there."""
    values = re.findall(rf"^{re.escape(name)}(?:\{{.*\}})? +(\S+)", text, re.MULTILINE)
    return sum(map(float, values)) if values else None


def _total(texts: Sequence[str], name: str) -> float | None:
    """The sum of a gauge over servers; None if one of them does not tell."""
    values = [value for text in texts if (value := gauge(text, name)) is not None]
    return sum(values) if len(values) == len(texts) else None


def queue_of(samples: Sequence[Sample], began: float, ended: float) -> Queue | None:
    """What the samples of the middle of a time say; None if there are none."""
    edge = (1 - MIDDLE) / 2 * (ended - began)
    middle = [sample for sample in samples if began + edge <= sample.at <= ended - edge]
    if not middle:
        return None
    return Queue(
        median(sample.running for sample in middle),
        median(sample.waiting for sample in middle),
        sum(sample.waiting >= 1 for sample in middle) / len(middle),
    )


class Watch:
    """Looks at the metrics of a reference's servers, in a thread, while its block runs."""

    def __init__(self, reference: str) -> None:
        self.urls = [f"{url.removesuffix('/v1')}/metrics" for url in read_address(reference).urls]
        self.samples: list[Sample] = []
        self._opener = build_opener(ProxyHandler({}))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="metrics", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def queue(self, began: float, ended: float) -> Queue | None:
        """What was seen between two times of `time.perf_counter`; None if the servers do not tell."""
        return queue_of(self.samples, began, ended)

    def look(self) -> None:
        """Take one sample, if all servers tell."""
        texts = [self._read(url) for url in self.urls]
        running, waiting = _total(texts, RUNNING), _total(texts, WAITING)
        if running is not None and waiting is not None:
            self.samples.append(Sample(time.perf_counter(), running, waiting))

    def _look_on(self) -> None:
        while not self._over.wait(EVERY):
            self.look()

    def _read(self, url: str) -> str:
        try:
            with self._opener.open(url, timeout=TIMEOUT) as reply:
                return str(reply.read().decode("utf-8", "replace"))
        except (OSError, ValueError):  # it has none, or is too busy to tell
            return ""
