"""The same engine in other batches: shapes that differ for sure, and an engine that is not changed itself."""

from __future__ import annotations

import pytest

from harness.engine.batching import Budget, make_batches
from harness.engine.functions import FunctionEngine
from harness.engine.requests import Generate, MultipleChoice, Plain, RollingLogLikelihood
from harness.engine.reshaped import smaller_batches


class Batched:
    label = "base"

    def __init__(self, tokens: int) -> None:
        self.budget = Budget(tokens)


def shapes(engine, lengths, most=10**9):
    return [[lengths[i] for i in batch] for batch in make_batches(lengths, min(engine.budget.tokens, most))]


GENERATE = [Generate(Plain("word " * (20 + i % 7)), 16) for i in range(60)]
CHOICE = [MultipleChoice(Plain("word " * (20 + i % 7)), (" yes", " no")) for i in range(60)]


@pytest.mark.parametrize("requests", [GENERATE, CHOICE])
@pytest.mark.parametrize("budget", [100, 1000, 65536])
@pytest.mark.parametrize("a_word", [1, 3])
def test_every_step_has_shapes_of_its_own(requests, budget, a_word):
    """However many tokens a word has, and whether or not all requests fit into one batch."""
    rows = 2 if requests is CHOICE else 1
    lengths = [a_word * (20 + i % 7) + (16 if rows == 1 else 1) for i in range(60) for _ in range(rows)]
    engine = Batched(budget)
    seen = [
        shapes(step, lengths) for step in (engine, *(smaller_batches(engine, requests, n) for n in (1, 2)))
    ]
    alone = [[length] for length in sorted(lengths, reverse=True)]
    assert seen[0] != seen[1] or seen[0] == alone
    assert seen[1] != seen[2] or seen[1] == alone
    assert engine.budget.tokens == budget


def test_texts_are_read_in_other_shapes_though_their_logits_limit_batches_before():
    texts = [RollingLogLikelihood("word " * (50 + i)) for i in range(20)]
    lengths = [70 + i for i in range(20)]
    engine = Batched(65536)
    first, second, third = (
        shapes(step, lengths, most=1000)
        for step in (engine, smaller_batches(engine, texts), smaller_batches(engine, texts, 2))
    )
    assert max(map(len, first)) > 2
    assert max(map(len, second)) == 1
    assert max(map(len, third)) == 2


def test_a_batch_holds_a_token_at_least():
    assert smaller_batches(Batched(2), GENERATE, 3).budget.tokens == 1


def test_an_engine_without_batches_stays_as_it_is():
    engine = FunctionEngine(str)
    assert smaller_batches(engine, GENERATE) is engine
