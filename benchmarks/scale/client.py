"""python -m benchmarks.scale.client REFERENCE FIRST END

Opens the engine of a reference and says so, waits for a line, then asks the probes from FIRST to before END; prints as JSON what came.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from harness.engine.registry import open_engine, schemes
from harness.engine.requests import Answer, Chat, Generate, Generated, Message, Request
from harness.engine.server.engine import ServerEngine
from harness.models.reference import Endpoint, resolve

WRITTEN = 16
"""Tokens that an answer has, at most."""

READY = "ready"


def main(reference: str, first: int, end: int) -> None:
    model = resolve(reference, schemes())
    assert isinstance(model, Endpoint), "a server's reference"
    engine = open_engine(model)
    assert isinstance(engine, ServerEngine)
    print(READY, flush=True)
    sys.stdin.readline()
    numbers = {question(number): number for number in range(first, end)}
    answered, written = list[int](), 0

    def done(answers: Mapping[Request, Answer], underway: int) -> None:
        nonlocal written
        answered.extend(numbers[request] for request in answers if isinstance(request, Generate))
        written += sum(answer.tokens for answer in answers.values() if isinstance(answer, Generated))

    engine.stream(list(numbers), done)
    again = engine.fleet.retries.total()
    print(json.dumps({"answered": answered, "written": written, "again": again, "server": engine.device}))


def question(number: int) -> Generate:
    """A short chat, unlike every other from its first words on."""
    return Generate(Chat((Message("user", f"{number} is a number. What comes after it?"),)), WRITTEN)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
