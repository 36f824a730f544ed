"""A Request in, a rough number of its tokens out, without a tokenizer."""

from __future__ import annotations

from dataclasses import dataclass

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


def estimated(request: Request) -> Estimate:
    """Tokens read and written, at most: answers may end early, and a shared beginning is read once."""
    match request:
        case Generate():
            most = request.max_new_tokens + (request.thinking_tokens or 0)
            return Estimate(_tokens(text_of(request.prompt)), most, 1)
        case MultipleChoice():
            context = _tokens(text_of(request.prompt))
            read = sum(context + _tokens(continuation) for continuation in request.continuations)
            return Estimate(read, 0, len(request.continuations))
        case Continuations():
            read = sum(_tokens(text_of(prompt)) + _tokens(text) for prompt, text in request.pairs)
            return Estimate(read, 0, len(request.pairs))
        case RollingLogLikelihood():
            return Estimate(_tokens(request.text), 0, 1)


def text_of(prompt: Prompt) -> str:
    """The words of a prompt; of a chat, those of its turns."""
    if isinstance(prompt, Chat):
        return "\n".join(turn.content for turn in prompt.messages)
    return prompt.text


def _tokens(text: str) -> float:
    return TOKENS_A_WORD * len(text.split())
