"""A Request in, a rough number of its tokens out, without a tokenizer."""

from __future__ import annotations

from harness.engine.requests import Chat, Generate, MultipleChoice, Prompt, Request, RollingLogLikelihood

TOKENS_A_WORD = 1.4
"""For English prose; other languages and code take more."""


def estimated_tokens(request: Request) -> float:
    """Tokens read and written, at most: answers may end early, and a shared beginning is read once."""
    match request:
        case Generate():
            return _tokens(_text(request.prompt)) + request.max_new_tokens + (request.thinking_tokens or 0)
        case MultipleChoice():
            context = _tokens(_text(request.prompt))
            return sum(context + _tokens(continuation) for continuation in request.continuations)
        case RollingLogLikelihood():
            return _tokens(request.text)


def _text(prompt: Prompt) -> str:
    if isinstance(prompt, Chat):
        return "\n".join(turn.content for turn in prompt.messages)
    return prompt.text


def _tokens(text: str) -> float:
    return TOKENS_A_WORD * len(text.split())
