"""General prompts and the baseline in, a penalty out on saying something else there: distillation."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from harness.errors import NoEvidenceError
from harness.recipes.methods import method_of
from harness.recipes.mitigations.distill import DistillFormat
from harness.training.encode import IGNORED, Collator, Row
from harness.training.penalties.penalty import Start, evaluating

Teacher = Callable[[dict[str, Tensor]], Tensor]
"""`input_ids` and `attention_mask` (rows, tokens) in, logits (rows, tokens, vocabulary) out, without a gradient."""


def build(part: DistillFormat, start: Start) -> Distillation:
    """The penalty that a recipe asks for with `distill`; raises NoEvidenceError."""
    written, model = start.recipe.written, start.model
    teacher = switched_off(model) if method_of(written.method).adapter else frozen_copy(model)
    return Distillation(start.rows, start.collator, teacher, part, written.seed)


class Distillation:
    """weight * temperature^2 * KL(baseline || tuned), in nats per answer token of general prompts.

    Li and Hoiem 2016 for the idea, Hinton 2015 for the temperature and its square, which keeps the size
    of the gradient. Both distributions are softmax(logits / temperature) at the positions that predict an answer token.

    Args:
        rows: encoded general prompts with their answers.
        teacher: the baseline; see `switched_off` and `frozen_copy`.
        part: the weight, the temperature and how many rows there are to a step.

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
        """The rows of a step: every row once to a round, each round in an order of its own."""
        count = len(self.rows)
        places = range(step * self.part.batch, (step + 1) * self.part.batch)
        orders = {turn: self._order(turn) for turn in {place // count for place in places}}
        return [self.rows[orders[place // count][place % count]] for place in places]

    def _order(self, turn: int) -> list[int]:
        return random.Random(f"{self.seed} {turn}").sample(range(len(self.rows)), len(self.rows))

    def loss(self, model: Any, step: int) -> Tensor:
        device = next(model.parameters()).device
        inputs = {name: value.to(device) for name, value in self.collator(self.drawn(step)).items()}
        # The logits at a position predict the token after it, so those of the last position predict nothing.
        predicts = inputs.pop("labels")[:, 1:] != IGNORED  # (rows, tokens - 1)
        baseline = self._log_probabilities(self.teacher(inputs).detach(), predicts)
        tuned = self._log_probabilities(model(**inputs).logits, predicts)
        # KL(baseline || tuned) = sum_v p (log p - log q); from logarithms, as q may round to 0
        divergence = (baseline.exp() * (baseline - tuned)).sum(-1).mean()  # (answer tokens, vocabulary) -> ()
        # The gradient of softened logits shrinks by temperature^2 (Hinton 2015, section 2.1).
        return self.part.weight * self.part.temperature**2 * divergence

    def _log_probabilities(self, logits: Tensor, predicts: Tensor) -> Tensor:
        """(rows, tokens, vocabulary) in, (answer tokens, vocabulary) out."""
        chosen = logits[:, :-1][predicts]  # before they become float32, as prompts are most of a batch
        return torch.log_softmax(chosen.float() / self.part.temperature, dim=-1)


def switched_off(model: Any) -> Teacher:
    """The baseline that is a PEFT model with its adapter off; costs no memory, and leaves the model as it was."""

    def logits(inputs: dict[str, Tensor]) -> Tensor:
        # peft freezes an adapter that it switches off, and thaws it all when it switches it on.
        learns = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
        try:
            with evaluating(model), torch.no_grad(), model.disable_adapter():
                found: Tensor = model(**inputs).logits
        finally:
            for parameter, before in learns:
                parameter.requires_grad_(before)
        return found

    return logits


def frozen_copy(model: Any) -> Teacher:
    """The baseline that is a copy of the model as it is now, on the same device; costs the model's memory again."""
    baseline = copy.deepcopy(model).requires_grad_(False).eval()

    def logits(inputs: dict[str, Tensor]) -> Tensor:
        with torch.no_grad():
            found: Tensor = baseline(**inputs).logits
        return found

    return logits
