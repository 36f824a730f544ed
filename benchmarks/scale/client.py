"""python -m benchmarks.scale.client REFERENCE NAME FIRST LAST: one client, as a worker of pytest-xdist is one.

Opens the model, says "ready", waits for a line, asks its probes through the gate's own engine for servers, and prints
as JSON when each request was sent and answered, by a clock that all processes share, and how many were sent again.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from benchmarks.scale.flight import Interval
from harness.engine.requests import Chat, Generate, Message
from harness.engine.server import fleet
from harness.engine.settings import OFF, Settings
from harness.models.reference import Endpoint
from harness.store.opening import open_engine

WRITTEN = 8
"""Tokens of an answer, at most."""


def main(reference: str, name: str, first: int, last: int) -> None:
    intervals = metered()
    scheme, _, rest = reference.partition(":")
    engine = open_engine(Endpoint(scheme, rest), Settings(store=OFF))
    requests = [
        Generate(Chat((Message("user", f"{name}: what is {n} and {n}?"),)), WRITTEN)
        for n in range(first, last)
    ]
    print("ready", flush=True)
    if not sys.stdin.readline():  # another client did not get ready
        return
    intervals.clear()
    answers = engine.ask(requests)
    print(json.dumps({"answers": len(answers), "intervals": intervals, "told": engine.told()}))


def metered() -> list[Interval]:
    """When each request of this process is sent and answered, from now on."""
    intervals: list[Interval] = []
    send = fleet.send

    async def timed(*arguments: Any) -> Any:
        sent = time.monotonic()
        try:
            return await send(*arguments)
        finally:
            intervals.append((sent, time.monotonic()))

    fleet.send = timed
    return intervals


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
