"""An engine in, the same with other batches out: answers should stay the same, but other shapes are rounded differently."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

from harness.engine.abilities import Batches
from harness.engine.batching import Budget
from harness.engine.estimate import estimated
from harness.engine.requests import Engine, Request, RollingLogLikelihood

SMALLER = 4
"""How many times smaller batches become with each step; even a rough estimate of tokens then needs several."""


def smaller_batches(engine: Engine, requests: Sequence[Request], step: int = 1) -> Engine:
    """The engine with smaller batches, so that the requests take several; one without batches as it is.

    Args:
        step: 1 for other batches than the engine's own, 2 for others again, and so on.
    """
    if not isinstance(engine, Batches):
        return engine
    tokens = [estimated(request).tokens for request in requests]
    if any(isinstance(request, RollingLogLikelihood) for request in requests):
        # logits of whole texts limit their batches long before the budget does, so a share of it may change nothing
        return _with_budget(engine, int(step * max(tokens)))
    return _with_budget(engine, int(min(engine.budget.tokens, sum(tokens))) // SMALLER**step)


def _with_budget(engine: Engine, tokens: int) -> Engine:
    changed = copy(engine)
    assert isinstance(changed, Batches)
    changed.budget = Budget(max(1, tokens))
    return changed
