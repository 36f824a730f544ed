"""Requests in, an error out if the tokenizer or chat template does not show them to the model, or they are too long for it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.engine.requests import Chat, Generate, MultipleChoice, Prompt, Request
from harness.engine.transformers.prompting import Prompting, may_be_cut
from harness.engine.transformers.tokenizing import holds
from harness.errors import EngineError

LOST_AT_MOST = 0.05
"""The share of prompts in which a tokenizer may lose something, such as a rare character."""


def check_shown(prompting: Prompting, requests: Sequence[Request], embeddings: int) -> None:
    """Prove that the model can read what is asked.

    Args:
        embeddings: how many tokens the model has embeddings for.

    Raises:
        EngineError: two prompts look the same to it, its tokenizer loses text, or a token has no embedding.
    """
    shown: dict[str, Prompt] = {}
    unseen: list[Generate | MultipleChoice] = []
    lost = []
    for request in requests:
        rows = prompting.rows(request)
        if (highest := max(map(max, rows))) >= embeddings:
            raise EngineError(
                f"{prompting.label}: its tokenizer makes the token {highest} ({prompting.decode([highest])!r}), but the model has "
                f"embeddings for {embeddings}: they do not belong together\n"
                "  were tokens added in training? save their embeddings with the model (peft: save_embedding_layers=True)"
            )
        text = prompting.shown(request)
        if isinstance(request, Generate | MultipleChoice):
            first = shown.setdefault(text, request.prompt)
            if first != request.prompt:
                raise EngineError(
                    f"{prompting.label}: its chat template drops what is asked: two different prompts, {_last(first)!r:.80} and "
                    f"{_last(request.prompt)!r:.80}, both become {text[-120:]!r}"
                )
            if isinstance(request.prompt, Chat) and not holds(text, _last(request.prompt)):
                unseen.append(request)
        if not may_be_cut(request) and not holds(prompting.decode(rows[0]), text):
            lost.append(text)
    if unseen and len(unseen) == sum(isinstance(request, Generate | MultipleChoice) for request in requests):
        raise EngineError(
            f"{prompting.label}: its chat template drops every question: {_last(unseen[0].prompt)!r:.80} becomes "
            f"{prompting.shown(unseen[0])[-120:]!r}"
        )
    if len(lost) > LOST_AT_MOST * len(requests):
        raise EngineError(
            f"{prompting.label}: its tokenizer loses text of {len(lost)} of the {len(requests)} prompts, so the model cannot "
            f"read them; the first ends in {lost[0][-80:]!r}\n  is the tokenizer the model's own, and complete?"
        )


def check_lengths(prompting: Prompting, requests: Sequence[Request], lengths: Sequence[int]) -> None:
    """Refuse a row that is longer than the model's context, unless its request is cut to fit; raises EngineError.

    Row i belongs to `requests[i]`, and has `lengths[i]` tokens.
    """
    for request, length in zip(requests, lengths, strict=True):
        cut = may_be_cut(request) and not isinstance(request, Generate)
        if prompting.context is not None and length > prompting.context and not cut:
            raise EngineError(
                f"{prompting.label}: a prompt and its answer take {length} tokens, and the model reads {prompting.context}: "
                f"{prompting.shown(request)[-80:]!r}"
            )


def _last(prompt: Prompt) -> str:
    return prompt.messages[-1].content if isinstance(prompt, Chat) else prompt.text
