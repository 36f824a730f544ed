"""Requests and a number of processes in, parts of the requests out that they ask at once.

Parts shrink towards the end, so that all processes end at about the same time whichever is slower (Polychronopoulos and Kuck
1987, "guided self-scheduling"), but an engine that reads several requests at once gets no less than fills a batch.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.engine.abilities import Batches, Timed
from harness.engine.batching import EXACT
from harness.engine.beginnings import common_length
from harness.engine.estimate import estimated, text_of
from harness.engine.requests import Continuations, Engine, Request, RollingLogLikelihood


def cut(engine: Engine, requests: Sequence[Request], processes: int) -> list[list[int]]:
    """The indices of the requests of each part; those with a common beginning are together, equal ones always.

    There is one part for an engine whose answers depend on what else is in a batch, which would differ from run to run.
    """
    everything = list(range(len(requests)))
    if processes < 2 or not _is_exact(engine):
        return [everything]
    batches = isinstance(engine, Batches)
    texts = [_text(request) for request in requests] if batches else []
    order = sorted(everything, key=texts.__getitem__) if batches else everything
    sizes = _own_tokens(requests, texts, order) if batches else [1.0] * len(order)
    least = float(engine.budget.tokens) if isinstance(engine, Batches) else 1.0
    left = sum(sizes)
    parts: list[list[int]] = []
    held = wanted = 0.0
    for index, size in zip(order, sizes, strict=True):
        if held >= wanted and (not parts or requests[index] != requests[parts[-1][-1]]):
            parts.append([])
            held, wanted = 0.0, max(least, left / (2 * processes))
        parts[-1].append(index)
        held += size
        left -= size
    if len(parts) > 1 and held < least / 2:
        parts[-2:] = [parts[-2] + parts[-1]]
    return parts


def _is_exact(engine: Engine) -> bool:
    return not isinstance(engine, Timed) or engine.runs_on.dtype in EXACT


def _own_tokens(requests: Sequence[Request], texts: Sequence[str], order: Sequence[int]) -> list[float]:
    """The work of each request in this order, without what it begins with like the one before."""
    sizes, before = [], ""
    for index in order:
        size, text = estimated(requests[index]), texts[index]
        own = 1 - common_length(before, text) / max(1, len(text))
        sizes.append(size.written + size.read * own)
        before = text
    return sizes


def _text(request: Request) -> str:
    match request:
        case RollingLogLikelihood(text=text):
            return text
        case Continuations(pairs=pairs):
            return "\n".join(text_of(prompt) for prompt, _ in pairs)
    return text_of(request.prompt)
