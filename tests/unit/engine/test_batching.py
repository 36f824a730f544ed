"""A budget of tokens, halved where memory runs out."""

from __future__ import annotations

from harness.engine.batching import Budget


def test_a_budget_never_falls_to_nothing():
    budget = Budget(3)
    for _ in range(5):
        budget.halve()
    assert budget.tokens == 1
