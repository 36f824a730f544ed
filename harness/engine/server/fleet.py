"""Jobs in, their values out as they come: calls go to the server that is free, and those that fail are sent again.

A job is a coroutine that makes calls one after another.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx2

from harness.engine.server.address import Address
from harness.engine.server.calls import Call, Failure, Kind, Refusal, Reply, send
from harness.engine.server.clients import client_of
from harness.engine.server.holding import TAKEN, Holding
from harness.engine.server.replies import ids_of
from harness.engine.server.servers import LEAST_FAILURES, Server
from harness.engine.server.thread import found_by
from harness.errors import EngineError
from harness.wording import count

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")
Job = Callable[[], Awaitable[V]]

MOST_TRIES = 10
"""How often a request is sent to servers that answer others; one that gets so many limits waits until those are answered."""

FAILED = 500
"""The status of a request that was sent so often, whatever it failed of."""

SAID = {
    "limit": "too many requests", "failed": "a fault of the server", "dropped": "a broken connection", "slow": "no reply in time",
    "unreadable": "a reply that was none", "unreachable": "no connection",
}  # fmt: skip


class PutOffError(Exception):
    """A request that got one limit after the other, and is to be sent again when all others are answered."""


class GoneError(EngineError):
    """No server is left that answers; no request is to blame."""


class RefusedError(EngineError):
    """A request that a server refuses, or fails again and again while it answers others."""

    def __init__(self, message: str, refusal: Refusal) -> None:
        super().__init__(message)
        self.refusal = refusal


class Fleet:
    """The servers of a model.

    Args:
        label: the name of the model in errors.

    Attributes:
        retries: how often requests were sent again, by the kind of failure.
        ids: of replies.
    """

    def __init__(self, address: Address, label: str) -> None:
        self.address = address
        self.label = label
        self.servers = [Server(url, address.concurrency) for url in address.urls]
        self.retries: Counter[Kind] = Counter()
        self.ids = ids_of(address.urls)
        self._late = False
        self._known_out: set[str] = set()
        self._clients: dict[str, httpx2.AsyncClient] = {}
        self._answered: dict[tuple[str, str], Call[Any]] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()

    # Results

    def results(self, jobs: Sequence[tuple[K, Job[V]]]) -> Generator[dict[K, V], None, None]:
        """The values of jobs, by their keys, as they come; raises what a job raises."""
        return found_by(lambda put: self._all(jobs, put))

    def value(self, job: Job[V]) -> V:
        """The value of one job; raises what it raises."""
        [values] = self.results([(None, job)])  # to their end, so that connections are closed
        return values[None]

    async def _all(self, jobs: Sequence[tuple[K, Job[V]]], put: Callable[[tuple[K, V]], None]) -> None:
        left: deque[tuple[K, Job[V]]] = deque(jobs)
        late: list[tuple[K, Job[V]]] = []
        holding = Holding(lambda item, value: put((item[0], value)), left.appendleft, self.ids.twice)
        self._holding = holding

        async def work() -> None:
            while left:
                item = left.popleft()
                taken: list[str] = []
                TAKEN.set(taken)
                try:
                    holding.hold(item, await item[1](), taken)
                except PutOffError:
                    late.append(item)

        async with self._connected():
            for self._late in (False, True):  # what was put off comes last
                left.extend(late)
                most = sum(server.ceiling for server in self.servers if server.fault is None) or 1
                workers = [asyncio.create_task(work()) for _ in range(min(len(left), most))]
                try:
                    await asyncio.gather(*workers)
                finally:
                    for worker in workers:
                        worker.cancel()
                    await asyncio.gather(*workers, return_exceptions=True)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        self._waiting = deque()
        for server in self.servers:
            server.busy = 0
            self._clients[server.url] = client_of(server.url, self.address)
        try:
            yield
        finally:
            for client in self._clients.values():
                await client.aclose()

    # Calls

    async def ask(self, call: Call[T], only: Server | None = None, reach: bool = False) -> T:
        """The value of a call, which is sent again until there is one.

        Args:
            only: the server to send it to; None for the one that is free.
            reach: whether a server that cannot be reached soon is an error at once.

        Raises:
            RefusedError: a server refuses it, or servers that answer others fail it again and again.
            PutOffError: it got one limit after the other, and others are still to be answered.
            GoneError: all servers are left out.
        """
        tries: Counter[bool] = Counter()
        timeout = self.address.connect_timeout if reach else self.address.timeout
        while True:
            server = await self._free(only)
            sent = time.monotonic()
            server.busy += 1
            number = self._holding.sent()
            try:
                outcome = await send(self._clients[server.url], call, timeout, self.address.key)
            finally:
                server.busy -= 1
                self._holding.answered(number)
                self._wake()
            if isinstance(outcome, Reply):
                server.succeeded()
                self._answered[server.url, call.path] = call
                return outcome.value
            if isinstance(outcome, Refusal):
                server.succeeded()
                raise RefusedError(f"{self.label}: {server.url} refuses a request: {outcome.why}", outcome)
            if reach and outcome.kind in ("unreachable", "slow"):
                server.fault = outcome.why
                raise EngineError(f"{server.url}: no connection: {outcome.why}")
            limited, late = outcome.kind == "limit", self._late or only is not None
            tries[limited] += 1
            # what a server is asked first may fail always, as a list of models without a cache, and others be answered
            if reach and outcome.status == FAILED and tries[limited] >= LEAST_FAILURES:
                raise RefusedError(f"{self.label}: {outcome.why}", Refusal(FAILED, outcome.why))
            await self._failed(server, call, outcome, sent, tries[limited], late)

    async def told_by(self, server: Server, call: Call[T]) -> T | None:
        """The value of a call that can be done without; None if the server does not know it, or fails three times."""
        for _ in range(3):
            outcome = await send(
                self._clients[server.url], call, self.address.connect_timeout, self.address.key
            )
            if isinstance(outcome, Reply):
                return outcome.value
            if isinstance(outcome, Refusal):
                return None
        return None

    async def _failed(
        self, server: Server, call: Call[Any], failure: Failure, sent: float, tries: int, late: bool
    ) -> None:
        """Note a failure, and leave out a server that answers nothing.

        Args:
            tries: how often the request failed so, by a limit or otherwise.
            late: whether no other request is left that the server may be busy with.

        Raises:
            RefusedError: it is the request's own.
            PutOffError: whether it is, shows when it is late.
        """
        self.retries[failure.kind] += 1
        fault = server.failed(failure, sent, time.monotonic(), self.address.patience)
        often, limited = tries >= MOST_TRIES, failure.kind == "limit"
        own = late and fault is not None if limited else often
        if (fault or own) and await self._answers(server, call.path):
            if own:
                why = f"{server.url} failed a request {tries} times, and answers others: {failure.why}"
                raise RefusedError(f"{self.label}: {why}", Refusal(FAILED, failure.why))
        elif fault:
            server.fault = fault
            self._wake_all()
        if limited and often and not late:
            raise PutOffError

    async def _answers(self, server: Server, path: str) -> bool:
        """Whether a server still answers what it last answered, so that another request that it fails is to blame itself."""
        if (known := self._answered.get((server.url, path))) is None:
            return False
        outcome = await send(self._clients[server.url], known, self.address.timeout, self.address.key)
        if isinstance(outcome, Reply):
            server.succeeded()
            server.resumes = 0.0  # only the other request was told to wait
            self._wake_all()
        return isinstance(outcome, Reply)

    async def _free(self, only: Server | None) -> Server:
        """The server with the least to do that may be asked; waits for one."""
        among = self.servers if only is None else [only]
        while True:
            if all(server.fault for server in among):
                raise self._nobody(among)
            now = time.monotonic()
            ready = [server for server in among if server.has_room and server.resumes <= now]
            if ready:
                return min(ready, key=lambda server: server.busy / server.window)
            pauses = [server.resumes - now for server in among if server.has_room]
            await self._turn(min(pauses, default=None))

    async def _turn(self, most: float | None) -> None:
        """Wait until a request was answered, or for so many seconds at most."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await asyncio.wait([turn], timeout=most)
        turn.cancel()

    def _wake(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _wake_all(self) -> None:
        for _ in range(len(self._waiting)):
            self._wake()

    def _nobody(self, among: Sequence[Server]) -> GoneError:
        lines = "".join(f"\n  {server.url}: {server.fault}" for server in among)
        what = "no server is left that answers" if len(among) > 1 else "the server does not answer"
        return GoneError(f"{self.label}: {what}{lines}")

    # What to tell

    def told(self) -> list[str]:
        """What happened since this was last read: requests that were sent again, and servers that were left out."""
        out = [server for server in self.servers if server.fault and server.url not in self._known_out]
        self._known_out.update(server.url for server in out)
        told = [f"{self.label}: {server.url} was left out: {server.fault}" for server in out]
        return told + ([self._again()] if self.retries else [])

    def _again(self) -> str:
        parts = ", ".join(f"{number:,} after {SAID[kind]}" for kind, number in self.retries.most_common())
        again = count(self.retries.total(), "request")
        self.retries.clear()
        return f"{self.label}: {again} sent again ({parts})"
