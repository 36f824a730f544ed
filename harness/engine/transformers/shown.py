"""A tokenizer's prompts in; nothing out where they show the model what is asked, and an error where they do not."""

from __future__ import annotations

from collections.abc import Sequence

from harness.engine.requests import Chat, Generate, MultipleChoice, Prompt, Request, RollingLogLikelihood
from harness.engine.transformers.prompting import Prompting
from harness.engine.transformers.tokenizing import gives_back, holds
from harness.errors import EngineError

LOST_AT_MOST = 0.05
"""The share of prompts of which a tokenizer may lose something, such as a rare character that it does not know."""


def check_shown(prompting: Prompting, requests: Sequence[Request], embeddings: int) -> None:
    """Prove that the model is shown what is asked.

    Args:
        embeddings: for how many tokens the model has any.

    Raises:
        EngineError: two questions look the same to it, its tokenizer loses what is asked, or it makes tokens that the
            model has no embeddings for.
    """
    shown: dict[str, Prompt] = {}
    unseen: list[Generate | MultipleChoice] = []
    lost = []
    for request in requests:
        rows = prompting.rows(request)
        if (highest := max(map(max, rows))) >= embeddings:
            raise EngineError(
                f"{prompting.label}: its tokenizer makes the token {highest} ({prompting.decode([highest])!r}), and the model has "
                f"embeddings for {embeddings}: they do not belong together\n"
                "  were tokens added in training? what they mean must be saved with the model (peft: "
                "save_embedding_layers=True)"
            )
        text = prompting.shown(request)
        if not isinstance(request, RollingLogLikelihood):
            first = shown.setdefault(text, request.prompt)
            if first != request.prompt:
                raise EngineError(
                    f"{prompting.label}: two different prompts are shown to it alike, so its chat template drops what is asked: "
                    f"{_last(first)!r:.80} and {_last(request.prompt)!r:.80} are both {text[-120:]!r}"
                )
            if isinstance(request.prompt, Chat) and not holds(text, _last(request.prompt)):
                unseen.append(request)
        if not gives_back(prompting.tokenizer, text, rows[0]):
            lost.append(text)
    if unseen and len(unseen) == sum(not isinstance(request, RollingLogLikelihood) for request in requests):
        raise EngineError(
            f"{prompting.label}: its chat template shows it none of the questions: {_last(unseen[0].prompt)!r:.80} becomes "
            f"{prompting.shown(unseen[0])[-120:]!r}"
        )
    if len(lost) > LOST_AT_MOST * len(requests):
        raise EngineError(
            f"{prompting.label}: its tokenizer does not give back {len(lost)} of the {len(requests)} prompts, so the model "
            f"cannot read them, the first {lost[0][-80:]!r}\n  is it the model's own, and whole?"
        )


def _last(prompt: Prompt) -> str:
    return prompt.messages[-1].content if isinstance(prompt, Chat) else prompt.text
