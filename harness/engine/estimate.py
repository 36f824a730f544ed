"""Requests in, a rough number of their tokens out, without a tokenizer; what they begin with alike counts once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from harness.engine.beginnings import common_length
from harness.engine.requests import (
    Chat,
    Continuations,
    Generate,
    MultipleChoice,
    Prompt,
    Request,
    RollingLogLikelihood,
)

TOKENS_A_WORD = 1.4
"""For English prose; other languages and code take more."""


@dataclass(frozen=True)
class Estimate:
    """Tokens of words that a model reads, in how many prompts, and the most that it may write.

    What a chat template adds is not counted.
    """

    read: float = 0.0
    written: float = 0.0
    prompts: int = 0

    @property
    def tokens(self) -> float:
        """Both together."""
        return self.read + self.written

    def __add__(self, other: Estimate) -> Estimate:
        return Estimate(self.read + other.read, self.written + other.written, self.prompts + other.prompts)


def estimated(requests: Iterable[Request]) -> Estimate:
    """Tokens read and written by an engine that is asked all of these at once, at most: answers may end early."""
    return sum(own_estimates(list(requests)).values(), Estimate())


def own_estimates(requests: Sequence[Request]) -> dict[int, Estimate]:
    """What each request takes besides what it begins with like those before it, by its index, in the order of their texts."""
    rows = [(*row, index) for index, request in enumerate(requests) for row in _rows(request)]
    found: dict[int, Estimate] = {}
    before = None
    for text, continuation, index in sorted(rows, key=itemgetter(0)):
        read = _tokens(continuation)
        if is_new := text != before:
            read += _tokens(text[common_length(before or "", text) :])
        found[index] = found.get(index, Estimate()) + Estimate(read, 0, int(is_new))
        before = text
    order = dict.fromkeys([*found, *range(len(requests))])
    return {
        index: found.get(index, Estimate()) + Estimate(written=_written(requests[index])) for index in order
    }


def _rows(request: Request) -> Iterator[tuple[str, str]]:
    """The texts that a model reads for a request, each as a prompt and its continuation."""
    match request:
        case Generate():
            yield text_of(request.prompt), ""
        case MultipleChoice():
            text = text_of(request.prompt)
            yield from ((text, continuation) for continuation in request.continuations)
        case Continuations():
            yield from ((text_of(prompt), continuation) for prompt, continuation in request.pairs)
        case RollingLogLikelihood():
            yield request.text, ""


def text_of(prompt: Prompt) -> str:
    """The words of a prompt; of a chat, those of its turns."""
    if isinstance(prompt, Chat):
        return "\n".join(turn.content for turn in prompt.messages)
    return prompt.text


def _written(request: Request) -> int:
    return request.max_new_tokens + (request.thinking_tokens or 0) if isinstance(request, Generate) else 0


def _tokens(text: str) -> float:
    return TOKENS_A_WORD * len(text.split())
