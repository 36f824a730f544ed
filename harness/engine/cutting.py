"""Requests and a number of processes in, parts of the requests out that they ask at once.

Parts shrink towards the end, so that all processes end at about the same time whichever is slower (Polychronopoulos and Kuck
1987, "guided self-scheduling"), but an engine that reads several requests at once gets no less than fills a batch.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.engine.abilities import Batches, Timed
from harness.engine.batching import EXACT
from harness.engine.estimate import own_estimates
from harness.engine.requests import Engine, Request


def cut(engine: Engine, requests: Sequence[Request], processes: int) -> list[list[int]]:
    """The indices of the requests of each part; those with a common beginning are together, equal ones always.

    There is one part for an engine whose answers depend on what else is in a batch, which would differ from run to run.
    """
    everything = list(range(len(requests)))
    if processes < 2 or not _is_exact(engine):
        return [everything]
    sizes, least = dict.fromkeys(everything, 1.0), 1.0
    if isinstance(engine, Batches):
        sizes = {index: size.tokens for index, size in own_estimates(requests).items()}
        least = float(engine.budget.tokens)
    left = sum(sizes.values())
    parts: list[list[int]] = []
    held = wanted = 0.0
    for index, size in sizes.items():
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
