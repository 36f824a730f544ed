"""Distillation: general prompts and the baseline in, a penalty out on the tuned model's divergence from it there."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from harness.errors import NoEvidenceError
from harness.recipes.mitigations.distill import DistillFormat
from harness.recipes.mitigations.masked_kl import MaskedKlFormat
from harness.training.encode import IGNORED, Collator, Row
from harness.training.penalties.penalty import Start, evaluating, keeping_what_learns
from harness.training.weighting.weighted import predicting

Teacher = Callable[[dict[str, Tensor]], Tensor]
"""`input_ids` and `attention_mask` (rows, tokens) in, logits (rows, tokens, vocabulary) out, without a gradient."""


def build(part: DistillFormat, start: Start) -> Distillation:
    """The penalty of a recipe's `distill`; raises NoEvidenceError."""
    return Distillation(start.rows, start.collator, teacher_of(start), part, start.recipe.written.seed)


class Distillation:
    """weight * temperature^2 * KL(baseline || tuned), in nats per answer token of general prompts.

    The idea is Li and Hoiem's (2016), the temperature and its square, which keeps the size of the gradient, Hinton's
    (2015). Both distributions are softmax(logits / temperature) at the positions that predict an answer token.

    Args:
        rows: encoded general prompts with their answers.
        teacher: the baseline; see `switched_off` and `frozen_copy`.
        part: the weight, the temperature and the number of rows in a step.

    Raises:
        NoEvidenceError: there are no rows, or one has no answer.
    """

    def __init__(
        self, rows: Sequence[Row], collator: Collator, teacher: Teacher, part: DistillFormat, seed: int
    ) -> None:
        if not rows:
            raise NoEvidenceError("distillation needs general prompts, saw none")
        for number, row in enumerate(rows, start=1):
            # No position predicts the first token.
            if all(label == IGNORED for label in row["labels"][1:]):
                raise NoEvidenceError(f"general prompt {number} has no answer token to distil")
        self.rows = rows
        self.collator = collator
        self.teacher = teacher
        self.part = part
        self.seed = seed

    def drawn(self, step: int) -> list[Row]:
        """The rows of a step: every row once in a round, each round in an order of its own."""
        count = len(self.rows)
        places = range(step * self.part.batch, (step + 1) * self.part.batch)
        orders = {turn: self._order(turn) for turn in {place // count for place in places}}
        return [self.rows[orders[place // count][place % count]] for place in places]

    def _order(self, turn: int) -> list[int]:
        return random.Random(f"{self.seed} {turn}").sample(range(len(self.rows)), len(self.rows))

    def loss(self, model: Any, step: int) -> Tensor:
        device = next(model.parameters()).device
        inputs = {name: value.to(device) for name, value in self.collator(self.drawn(step)).items()}
        labels = inputs.pop("labels")
        baseline = self._log_probabilities(self.teacher(inputs).detach(), labels)
        tuned = self._log_probabilities(model(**inputs).logits, labels)  # (answer tokens, vocabulary)
        return softened_divergence(baseline, tuned, self.part)

    def _log_probabilities(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(rows, tokens, vocabulary) in, (answer tokens, vocabulary) out."""
        _, chosen, _ = predicting(logits, labels)
        return torch.log_softmax(chosen / self.part.temperature, dim=-1)


def softened_divergence(baseline: Tensor, tuned: Tensor, part: DistillFormat | MaskedKlFormat) -> Tensor:
    """weight * temperature^2 * KL(baseline || tuned), a scalar, of log-probabilities (answer tokens, vocabulary)."""
    # sum_v p (log p - log q), from logarithms, as q may round to 0.
    divergence = (baseline.exp() * (baseline - tuned)).sum(-1)  # (answer tokens,)
    # The gradient of softened logits shrinks by temperature^2 (Hinton 2015, section 2.1).
    return part.weight * part.temperature**2 * divergence.mean()  # ()


def teacher_of(start: Start) -> Teacher:
    """The baseline of a training that is ready to begin."""
    adapter = start.recipe.written.method.chosen.is_adapter
    return switched_off(start.model) if adapter else frozen_copy(start.model)


def switched_off(model: Any) -> Teacher:
    """A PEFT model with its adapter off, as the baseline; costs no memory and leaves the model unchanged."""

    def teacher(inputs: dict[str, Tensor]) -> Tensor:
        with evaluating(model), keeping_what_learns(model), torch.no_grad(), model.disable_adapter():
            logits: Tensor = model(**inputs).logits
        return logits

    return teacher


def frozen_copy(model: Any) -> Teacher:
    """A copy of the model as it is now, as the baseline, on the same device; costs the model's memory again."""
    baseline = copy.deepcopy(model).requires_grad_(False).eval()

    @torch.no_grad()
    def teacher(inputs: dict[str, Tensor]) -> Tensor:
        logits: Tensor = baseline(**inputs).logits
        return logits

    return teacher
