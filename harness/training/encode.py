"""Examples in, token tensors out: the loss counts the answer's tokens only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch

from harness.bounded.jinja import TemplateError
from harness.engine.transformers.tokenizing import bounded, render
from harness.errors import ModelError
from harness.recipes.examples import Example

IGNORED = -100
"""The label that torch's cross entropy leaves out."""

Row = Mapping[str, Sequence[float]]
"""An example by names: `input_ids` and `labels`, whole numbers; and what mitigations keep of it, see ALSO."""

ALSO: Mapping[str, float] = {"weights": 0.0, "teacher": IGNORED}
"""What a row may have besides, and what pads it: how much each token counts, and the prompt of a teacher."""


def encode(tokenizer: Any, examples: Sequence[Example], form: Literal["chat", "text"] = "chat") -> list[Row]:
    """Each example as tokens: `input_ids`, and `labels` that are IGNORED up to the answer.

    A chat goes through the tokenizer's chat template; text is the prompt, a space, the answer and the end token,
    as a suite of `format: text` writes its shots. No end follows an answer that was cut.

    Raises:
        ModelError: the tokenizer has no chat template, or it fails on a chat, needs too much time or memory, or renders a
            prompt that does not begin its finished chat, or an answer that was cut in other words.
    """
    before_and_after = _chat if form == "chat" else _text
    rows: list[Row] = []
    for example in examples:
        before, answer = before_and_after(tokenizer, example)
        rows.append({"input_ids": [*before, *answer], "labels": [IGNORED] * len(before) + answer})
    return rows


def _chat(tokenizer: Any, example: Example) -> tuple[list[int], list[int]]:
    if not tokenizer.chat_template:
        raise ModelError(
            "the base model's tokenizer has no chat template, so it cannot be trained on chats\n"
            "  write 'format: text' in the recipe"
        )
    earlier = [{"role": turn.role, "content": turn.text} for turn in example.earlier]
    user = {"role": "user", "content": example.prompt}
    assistant = {"role": "assistant", "content": example.answer}
    try:
        with bounded("the base model"):
            prompt = render(tokenizer, [*earlier, user])
            finished = render(tokenizer, [*earlier, user, assistant], answer_follows=False)
    except TemplateError as error:
        raise ModelError(f"the base model's chat template does not take a chat: {error}") from error
    if not finished.startswith(prompt):
        raise ModelError(
            "the base model's chat template rewrites earlier turns; the answer cannot be told apart"
        )
    before = tokenizer(prompt, add_special_tokens=False).input_ids
    said = finished[len(prompt) :].rstrip("\n")
    if example.cut:
        lead, words, _ = said.rpartition(example.answer.strip())
        if not words:
            raise ModelError(
                "the base model's chat template rewrites answers; their ends cannot be told apart"
            )
        said = lead + words
    return list(before), list(tokenizer(said, add_special_tokens=False).input_ids)


def _text(tokenizer: Any, example: Example) -> tuple[list[int], list[int]]:
    before = tokenizer(example.prompt.rstrip()).input_ids
    answer = tokenizer(f" {example.answer.strip()}", add_special_tokens=False).input_ids
    if before and before[-1] == tokenizer.eos_token_id:  # some tokenizers end every text
        before = before[:-1]
    return list(before), [*answer, *([] if example.cut else [tokenizer.eos_token_id])]


class Collator:
    """Pads a batch on the right to its longest row; tensors are (rows, longest)."""

    def __init__(self, pad_token: int) -> None:
        self.pad_token = pad_token

    def __call__(self, rows: Sequence[Row]) -> dict[str, torch.Tensor]:
        tokens = [row["input_ids"] for row in rows]
        batch = {
            "input_ids": padded(tokens, self.pad_token),
            "attention_mask": padded([[1] * len(each) for each in tokens], 0),
            "labels": padded([row["labels"] for row in rows], IGNORED),
        }
        return batch | {
            name: padded([row[name] for row in rows], filler)
            for name, filler in ALSO.items()
            if name in rows[0]
        }


def padded(lists: Sequence[Sequence[float]], value: float) -> torch.Tensor:
    """Lists of numbers as one tensor, (lists, longest), each filled up with `value` on the right."""
    width = max(map(len, lists))
    return torch.tensor([[*each, *[value] * (width - len(each))] for each in lists])
