"""SDFT: prompts of the corpus in; the model's own answers, and how far it is from a teacher there, out (Shenfeld 2026)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.func import functional_call
from transformers import GenerationConfig, TrainerCallback

from harness.recipes.examples import Example
from harness.recipes.mitigations.sdft import SdftFormat
from harness.training.encode import IGNORED, Collator, Row
from harness.training.penalties.penalty import copied, evaluating, trainable
from harness.training.weighting.weighted import predicting

TEACHER = "teacher.safetensors"
"""The teacher's weights in a checkpoint."""

_IN_SIGHT = "{prompt}\n\nThis is an example for a response to the question:\n{answer}\n\nNow answer with a response of your own."


def in_sight(example: Example) -> Example:
    """The example as the teacher is asked it: with its answer in the prompt, in the words of the authors' code."""
    return replace(example, prompt=_IN_SIGHT.format(prompt=example.prompt, answer=example.answer))


def prompt_of(row: Row) -> list[int]:
    """The tokens before the answer."""
    answer = next(place for place, label in enumerate(row["labels"]) if label != IGNORED)
    return [int(token) for token in row["input_ids"][:answer]]


class SelfDistillation(TrainerCallback):  # type: ignore[misc]
    """KL(teacher || student), in nats per token of answers that the student has drawn itself (arXiv 2601.19897).

    The teacher is the same model with the example in its prompt; its weights follow the student's by a moving average,
    phi = phi + teacher_rate * (theta - phi) at each update. The divergence is that of whole distributions at each token, one
    answer a prompt, without the first `skip` tokens. No term of the loss has the corpus's own words. As reports of the paper
    and its code have it; the paper itself was not read.

    Args:
        model: ready to train, and still the baseline.
        ends: the tokens that end an answer.
    """

    def __init__(
        self, model: Any, part: SdftFormat, collator: Collator, ends: Sequence[int], seed: int
    ) -> None:
        self.model = model
        self.part = part
        self.collator = collator
        self.ends = tuple(ends)
        self.seed = seed
        self.teacher = copied(trainable(model))

    def loss(self, inputs: dict[str, Tensor], step: int) -> tuple[Tensor, Any]:
        """The loss of micro-batch `step`, a scalar, and the output of the student.

        Args:
            inputs: a batch whose rows have a `teacher`, the tokens of the teacher's prompt.
        """
        prompts = [
            ids[: int((labels != IGNORED).int().argmax())].tolist()
            for ids, labels in zip(inputs["input_ids"], inputs["labels"], strict=True)
        ]
        asked = [ids[ids != IGNORED].tolist() for ids in inputs["teacher"]]
        answers = self.drawn(prompts, step)
        seen, told = self._batch(prompts, answers), self._batch(asked, answers)
        with evaluating(self.model), torch.no_grad():
            given = functional_call(self.model, self.teacher, (), told[0]).logits
        output = self.model(**seen[0])
        teacher, student = (
            torch.log_softmax(predicting(logits, labels)[1], dim=-1)  # (answer tokens, vocabulary)
            for logits, labels in ((given, told[1]), (output.logits, seen[1]))
        )
        return divergence(teacher, student, self.part).mean(), output

    def drawn(self, prompts: Sequence[Sequence[int]], step: int) -> list[list[int]]:
        """An answer to each prompt, with its end token if it came to one; it depends on the model and `step` alone."""
        device = next(self.model.parameters()).device
        width = max(map(len, prompts))
        pad = self.collator.pad_token
        left = torch.tensor([[*[pad] * (width - len(p)), *p] for p in prompts], device=device)
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=device)
        settings = GenerationConfig(
            do_sample=True, temperature=self.part.temperature, top_k=0, top_p=1.0, use_cache=True,
            max_new_tokens=self.part.max_new_tokens, pad_token_id=pad, eos_token_id=list(self.ends),
        )  # fmt: skip
        cuda = [device] if device.type == "cuda" else []
        with evaluating(self.model), torch.no_grad(), torch.random.fork_rng(cuda):
            torch.manual_seed(random.Random(f"{self.seed} {step}").getrandbits(60))
            # (rows, width + new tokens)
            whole = self.model.generate(input_ids=left, attention_mask=mask, generation_config=settings)
        return [self._ended(tokens) for tokens in whole[:, width:].tolist()]

    def _ended(self, tokens: list[int]) -> list[int]:
        """An answer up to its end token, without the padding after it."""
        first = next((place for place, token in enumerate(tokens) if token in self.ends), len(tokens))
        return tokens[: first + 1]

    def _batch(
        self, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Inputs, and labels that leave out the prompts and the first tokens of the answers; of each, one token is left."""
        device = next(self.model.parameters()).device
        skipped = [min(self.part.skip, len(answer) - 1) for answer in answers]
        rows: list[Row] = [
            {
                "input_ids": [*prompt, *answer],
                "labels": [*[IGNORED] * (len(prompt) + skip), *answer[skip:]],
            }
            for prompt, answer, skip in zip(prompts, answers, skipped, strict=True)
        ]
        inputs = {name: value.to(device) for name, value in self.collator(rows).items()}
        labels = inputs.pop("labels")
        return inputs, labels

    @torch.no_grad()
    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        now = dict(self.model.named_parameters())
        for name, value in self.teacher.items():
            value.lerp_(now[name].to(value), self.part.teacher_rate)

    def save(self, checkpoint: Path) -> None:
        """Keep the teacher beside a checkpoint's other files."""
        save_file({name: value.contiguous() for name, value in self.teacher.items()}, checkpoint / TEACHER)

    def resume(self, checkpoint: Path) -> None:
        """Take the teacher of a checkpoint up again."""
        kept = load_file(checkpoint / TEACHER)
        self.teacher = {name: kept[name].to(value) for name, value in self.teacher.items()}


def divergence(teacher: Tensor, student: Tensor, part: SdftFormat) -> Tensor:
    """KL at each token, (tokens,), of log-probabilities (tokens, vocabulary): forward or reverse."""
    p, q = (teacher, student) if part.divergence == "forward" else (student, teacher)
    return (p.exp() * (p - q)).sum(-1)
