"""An engine that gives answers as they come in, all answers in the order of the requests out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.engine.abilities import Streams
from harness.engine.requests import Answer, Progress, Request


def ask_by_stream(engine: Streams, requests: Sequence[Request], progress: Progress | None) -> list[Answer]:
    """Answer each request, in order; equal requests are computed once. Raises what the engine raises."""
    distinct = list(dict.fromkeys(requests))
    answers: dict[Request, Answer] = {}

    def done(batch: Mapping[Request, Answer], underway: int = 0) -> None:
        answers.update(batch)
        if progress and distinct:
            progress(len(answers) + underway, len(distinct))

    done({})
    engine.stream(distinct, done)
    return [answers[request] for request in requests]
