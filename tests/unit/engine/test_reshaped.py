"""The same engine in other batches: shapes that differ for sure, and an engine that is not changed itself."""

from __future__ import annotations

import pytest

from harness.engine import registry
from harness.engine.batching import Budget
from harness.engine.estimate import estimated
from harness.engine.functions import FunctionEngine
from harness.engine.registry import is_foreign
from harness.engine.requests import Generate, MultipleChoice, Plain, RollingLogLikelihood
from harness.engine.reshaped import smaller_batches


class Batched:
    label = "base"

    def __init__(self, tokens: int) -> None:
        self.budget = Budget(tokens)


GENERATE = [Generate(Plain("word " * (20 + i % 7)), 16) for i in range(60)]
CHOICE = [MultipleChoice(Plain("word " * (20 + i % 7)), (" yes", " no")) for i in range(60)]


TEXTS = [RollingLogLikelihood("word " * (50 + i)) for i in range(20)]


@pytest.mark.parametrize("requests", [GENERATE, CHOICE, TEXTS])
@pytest.mark.parametrize("budget", [100, 1000, 65536])
def test_every_step_has_smaller_batches_and_takes_several(requests, budget):
    """So each has shapes of its own, whether or not all requests fit into one batch of the engine."""
    engine = Batched(budget)
    first, second = (smaller_batches(engine, requests, step).budget.tokens for step in (1, 2))
    whole = estimated(requests).tokens
    assert 2 * first <= min(budget, whole)
    assert 2 * second <= first
    assert engine.budget.tokens == budget


def test_a_batch_holds_a_token_at_least():
    assert smaller_batches(Batched(2), GENERATE, 3).budget.tokens == 1


def test_an_engine_without_batches_stays_as_it_is():
    engine = FunctionEngine(str)
    assert smaller_batches(engine, GENERATE) is engine


def test_the_failures_of_a_users_engine_stay_their_own_in_other_batches(monkeypatch):
    monkeypatch.setattr("harness.engine.registry._FOREIGN", {})
    engine = Batched(100)
    assert is_foreign(engine)
    assert is_foreign(FunctionEngine(str.upper))
    monkeypatch.setattr(Batched, "__module__", "harness.engine.ours")
    assert not is_foreign(smaller_batches(engine, GENERATE))
    registry._FOREIGN[id(engine)] = engine
    assert is_foreign(smaller_batches(engine, GENERATE))
