"""An engine in, the same with other batches out: answers should stay the same, but other shapes are rounded differently."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

from harness.engine.abilities import Batches, Keeps
from harness.engine.batching import Budget
from harness.engine.estimate import estimated
from harness.engine.registry import take_after
from harness.engine.requests import Engine, Request

_ORIGINAL = "reshaped_of"

SMALLER = 2
"""How many times smaller batches become with each step: the requests take several, and most rows are asked side by side."""


def smaller_batches(engine: Engine, requests: Sequence[Request], step: int = 1) -> Engine:
    """The engine with smaller batches, so that the requests take several; one without batches as it is.

    Args:
        step: 1 for other batches than the engine's own, 2 for others again, and so on.
    """
    if not isinstance(engine, Batches):
        return engine.anew(step) if isinstance(engine, Keeps) else engine
    tokens = estimated(requests).tokens
    return with_budget(engine, int(min(engine.budget.tokens, tokens)) // SMALLER**step)


def with_budget(engine: Engine, tokens: int) -> Engine:
    """The engine with a budget of its own for its batches; one without batches as it is."""
    if not isinstance(engine, Batches):
        return engine
    changed = copy(engine)
    changed.budget = Budget(max(1, tokens))
    vars(changed)[_ORIGINAL] = engine
    take_after(changed, engine)
    return changed


def original(engine: Engine) -> Engine:
    """The engine that another one with other batches was made of; any other engine itself."""
    found: Engine = getattr(engine, _ORIGINAL, engine)
    return found
