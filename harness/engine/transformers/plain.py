"""Rows of tokens through any model: rows of one length side by side, without padding, each from its beginning.

For models whose cache cannot branch, such as recurrent ones, and for adapters that depend on where they were invoked.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from harness.engine.batching import Budget
from harness.engine.pace import Pace
from harness.engine.requests import Likelihood
from harness.engine.transformers.forward import (
    LOGITS_BYTES,
    Forward,
    NotFinite,
    State,
    likeliest,
    log_probabilities,
)
from harness.engine.transformers.prompting import Pair
from harness.engine.transformers.writing import Writing


@dataclass(frozen=True)
class Plain:
    """The way of all other models.

    Attributes:
        cached: read only the newest token at each step; else every row alone and from its beginning.
    """

    forward: Forward
    budget: Budget
    cached: bool = True

    def likelihoods(
        self, pairs: Sequence[Pair], done: Callable[[Mapping[int, Likelihood]], None], pace: Pace
    ) -> None:
        """See Way."""
        rows = [[*context, *continuation][:-1] for context, continuation in pairs]
        vocabulary = int(self.forward.config.vocab_size)
        # Of a long continuation, logits take more memory than anything else.
        needs = [
            max(len(row), len(continuation) * self.budget.tokens * 4 * vocabulary // LOGITS_BYTES)
            for row, (_, continuation) in zip(rows, pairs, strict=True)
        ]
        for batch in self._batches([len(row) for row in rows], needs):
            keep = max(len(pairs[index][1]) for index in batch)
            with pace.while_reading():
                logits = self.forward.last([rows[index] for index in batch], keep)
                found = {
                    index: _summed(own, pairs[index][1]) for index, own in zip(batch, logits, strict=True)
                }
            for index, (value, _) in found.items():
                if not math.isfinite(value):
                    raise NotFinite(index)
            done(found)

    def write(
        self,
        prompts: Sequence[Sequence[int]],
        answers: Sequence[Writing],
        done: Callable[[Sequence[int]], None],
        pace: Pace,
    ) -> None:
        """See Way."""
        lengths = [len(prompt) for prompt in prompts]
        needs = [length + answer.limits.whole for length, answer in zip(lengths, answers, strict=True)]
        for batch in self._batches(lengths, needs):
            self._write(batch, [list(prompts[index]) for index in batch], answers, done, pace)

    def _write(
        self,
        batch: Sequence[int],
        rows: list[list[int]],
        answers: Sequence[Writing],
        done: Callable[[Sequence[int]], None],
        pace: Pace,
    ) -> None:
        going = set(batch)
        pace.written += len(batch)
        with pace.while_reading():
            logits, state = self._step(rows, {})
            found = likeliest(logits)
        while True:
            ended = []
            for index, row, (token, finite) in zip(batch, rows, found, strict=True):
                if index in going and not finite:
                    raise NotFinite(index)
                if index in going and not answers[index].take(token):
                    ended.append(index)
                row.append(token)
            going.difference_update(ended)
            if ended:
                done(ended)
            if not going:
                return
            pace.written += len(going)
            with pace.while_writing():
                logits, state = self._step(rows, state)
                found = likeliest(logits)

    def _step(self, rows: Sequence[Sequence[int]], state: State) -> tuple[torch.Tensor, State]:
        """The logits after rows of one length, (rows, vocabulary), and what the model keeps of them."""
        return self.forward.after(rows, state) if self.cached else (self.forward.last(rows, 1)[:, -1], {})

    def _batches(self, lengths: Sequence[int], needs: Sequence[int]) -> Iterator[list[int]]:
        """The indices of rows of one length, at most as many together as a batch may hold tokens; the longest first."""
        alike: dict[int, list[int]] = defaultdict(list)
        for index, length in enumerate(lengths):
            alike[length].append(index)
        for length in sorted(alike, reverse=True):
            indices = sorted(alike[length], key=lambda index: -needs[index])
            while indices:
                most = max(1, self.budget.tokens // needs[indices[0]]) if self.cached else 1
                yield indices[:most]
                indices = indices[most:]


def _summed(logits: torch.Tensor, continuation: Sequence[int]) -> Likelihood:
    """The log-likelihood of a continuation by the logits at the end of its row, (its length or more, vocabulary)."""
    own = logits[-len(continuation) :]
    values, written = zip(*log_probabilities(own, range(len(own)), continuation), strict=True)
    return sum(values), all(written)
