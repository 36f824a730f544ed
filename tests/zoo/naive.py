"""Requests in, a model's answers out, by the plainest computation: each row alone, unpadded, read whole for each token.

Where two tokens are as good as equally likely, rounding decides which is written, and all after it: a text ends there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from harness.engine.requests import (
    Answer,
    ChoiceLogProbs,
    Continuations,
    Generate,
    Generated,
    LogLikelihood,
    MultipleChoice,
    Request,
    RollingLogLikelihood,
)
from tests.zoo.architectures import BEGIN, END

TIE = 2e-3
"""Logits that differ by less, in float32, may change places with the order of a sum."""

NEAR = 1e-3
"""The most nats between log-probabilities that are the same."""


@dataclass(frozen=True)
class Naive:
    """What the model should answer; `decided` is whether the text goes on to its end without a tie."""

    answer: Answer
    decided: bool = True


class Reader:
    """A model and its tokenizer, asked without the engine."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model = model
        self.tokenizer = tokenizer

    def answer(self, request: Request) -> Naive:
        match request:
            case Generate():
                return self._written(self._tokens(request.prompt.text), request.max_new_tokens)
            case MultipleChoice():
                pairs = [(request.prompt.text, continuation) for continuation in request.continuations]
            case Continuations():
                pairs = [(prompt.text, continuation) for prompt, continuation in request.pairs]
            case RollingLogLikelihood():
                tokens = self._tokens(request.text)
                return Naive(LogLikelihood(self._logprob([BEGIN], tokens), len(tokens)))
        return Naive(ChoiceLogProbs(tuple(self._logprob(self._tokens(a), self._tokens(b)) for a, b in pairs)))

    def _tokens(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False).input_ids)

    @torch.inference_mode()
    def _logits(self, tokens: Sequence[int]) -> torch.Tensor:
        """The logits of a row, (tokens, vocabulary)."""
        row: torch.Tensor = self.model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0]
        return row.float()

    def _written(self, tokens: list[int], most: int) -> Naive:
        written: list[int] = []
        decided = True
        while decided and len(written) < most:
            (first, second), (token, _) = (
                part.tolist() for part in self._logits([*tokens, *written])[-1].topk(2)
            )
            decided = first - second > TIE
            if token == END:
                break
            if decided:
                written.append(token)
        return Naive(
            Generated(self.tokenizer.decode(written, skip_special_tokens=True), len(written)), decided
        )

    def _logprob(self, context: list[int], continuation: list[int]) -> float:
        # The last token predicts nothing. (continuation, vocabulary)
        logprobs = self._logits([*context, *continuation][:-1])[len(context) - 1 :].log_softmax(-1)
        return float(logprobs.gather(1, torch.tensor(continuation)[:, None]).sum())


def difference(naive: Naive, answer: Answer) -> str | None:
    """How an engine's answer differs from the naive one, in words; None if they are the same."""
    wanted = naive.answer
    assert type(answer) is type(wanted)
    if isinstance(wanted, Generated):
        same = answer == wanted if naive.decided else answer.text.startswith(wanted.text)
        return None if same else f"wrote {answer.text!r}, naively {wanted.text!r}"
    was, is_ = ((a.logprob,) if isinstance(a, LogLikelihood) else a.logprobs for a in (wanted, answer))
    furthest = max(abs(a - b) for a, b in zip(was, is_, strict=True))
    return None if furthest <= NEAR else f"log-probabilities differ by {furthest:.2g}"
