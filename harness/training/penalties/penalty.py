"""A model in training in, a penalty on forgetting out: the seam, and the two penalties that need no Fisher information."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor

from harness.errors import ModelError, NoEvidenceError
from harness.training.encode import IGNORED, Collator, Row

Teacher = Callable[[dict[str, Tensor]], Tensor]
"""`input_ids` and `attention_mask` (rows, tokens) in, logits (rows, tokens, vocabulary) out, without a gradient."""


class Penalty(Protocol):
    """A term that is added to the loss of each micro-batch."""

    def loss(self, model: Any, step: int) -> Tensor:
        """The penalty for micro-batch `step`, counted from 0: a float32 scalar on the model's device.

        It depends on nothing but the model and `step`, so that a resumed training goes on as it would have.
        """
        ...


class L2SP:
    """weight / 2 * sum (theta - theta*)^2 (Li 2018, eq. 2): EWC with the same importance everywhere, its control.

    theta* is a copy of the parameters that are trainable when it is made.

    Raises:
        ModelError: no parameter is trainable, or a later model lacks one that was.
    """

    def __init__(self, model: Any, weight: float) -> None:
        self.weight = weight
        self.anchor = copied(trainable(model))

    def loss(self, model: Any, step: int) -> Tensor:
        return self.weight / 2 * squared_distance(model, self.anchor)


class Distillation:
    """weight * temperature^2 * KL(baseline || tuned), in nats per answer token of general prompts.

    Li and Hoiem 2016 for the idea, Hinton 2015 for the temperature and its square, which keeps the size
    of the gradient. Both distributions are softmax(logits / temperature) at the positions that predict an answer token.

    Args:
        rows: encoded general prompts with their answers.
        teacher: the baseline; see `switched_off` and `frozen_copy`.
        batch: rows to a step.

    Raises:
        NoEvidenceError: there are no rows, or one has no answer.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        collator: Collator,
        teacher: Teacher,
        weight: float,
        temperature: float,
        batch: int,
        seed: int,
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
        self.weight = weight
        self.temperature = temperature
        self.batch = batch
        self.seed = seed

    def drawn(self, step: int) -> list[Row]:
        """The rows of a step: every row once to a round, each round in an order of its own."""
        count = len(self.rows)
        places = range(step * self.batch, (step + 1) * self.batch)
        orders = {turn: self._order(turn) for turn in {place // count for place in places}}
        return [self.rows[orders[place // count][place % count]] for place in places]

    def _order(self, turn: int) -> list[int]:
        return random.Random(f"{self.seed} {turn}").sample(range(len(self.rows)), len(self.rows))

    def loss(self, model: Any, step: int) -> Tensor:
        device = next(model.parameters()).device
        inputs = {name: value.to(device) for name, value in self.collator(self.drawn(step)).items()}
        # The logits at a position predict the token after it.
        predicts = inputs.pop("labels")[:, 1:] != IGNORED
        baseline = self._log_probabilities(self.teacher(inputs).detach(), predicts)
        tuned = self._log_probabilities(model(**inputs).logits, predicts)
        divergence = (baseline.exp() * (baseline - tuned)).sum(-1).mean()
        return self.weight * self.temperature**2 * divergence

    def _log_probabilities(self, logits: Tensor, predicts: Tensor) -> Tensor:
        """(answer tokens, vocabulary); chosen before they become float32, as prompts are most of a batch."""
        return torch.log_softmax(logits[:, :-1][predicts].float() / self.temperature, dim=-1)


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


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """No dropout inside; afterwards every module is in the mode it was in."""
    before = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in before:
            module.training = mode


def trainable(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """The parameters that learn, by name; tied ones once.

    Raises:
        ModelError: there are none.
    """
    found = {name: value for name, value in model.named_parameters() if value.requires_grad}
    if not found:
        raise ModelError(
            "no parameter of the model is trainable, so there is nothing to hold\n"
            "  choose what learns before the penalties are made"
        )
    return found


def copied(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The values as they are now, each in its own memory and dtype."""
    return {name: value.detach().clone() for name, value in parameters.items()}


def squared_distance(
    model: torch.nn.Module, anchor: dict[str, Tensor], importance: dict[str, Tensor] | None = None
) -> Tensor:
    """sum_i F_i (theta_i - theta*_i)^2 in float32, F = 1 without `importance`; waits for the device nowhere.

    Held tensors move to where the model's parameters are, once.

    Raises:
        ModelError: the model does not have the parameters of the anchor.
    """
    parameters = dict(model.named_parameters())
    check_fit(anchor, parameters, "the model")
    device = next(iter(parameters.values())).device
    parts = []
    for name in anchor:
        away = parameters[name].float() - _beside(parameters[name], anchor, name).float()
        squares = away.square()
        if importance is not None:
            squares = _beside(parameters[name], importance, name) * squares
        parts.append(squares.sum().to(device))
    return torch.stack(parts).sum()


def _beside(parameter: Tensor, held: dict[str, Tensor], name: str) -> Tensor:
    if held[name].device != parameter.device:
        held[name] = held[name].to(parameter.device)
    return held[name]


def check_fit(
    expected: Mapping[str, Tensor], seen: Mapping[str, Tensor], owner: str, exactly: bool = False
) -> None:
    """Refuse tensors that lack an expected name or shape, or, `exactly`, that have one more.

    Raises:
        ModelError: naming what does not fit.
    """
    wrong = [f"'{name}' is missing" for name in expected if name not in seen]
    wrong += [
        f"'{name}' is {tuple(seen[name].shape)}, expected {tuple(value.shape)}"
        for name, value in expected.items()
        if name in seen and seen[name].shape != value.shape
    ]
    if exactly:
        wrong += [f"'{name}' is not expected" for name in seen if name not in expected]
    if wrong:
        shown = [*wrong[:5], *([f"and {len(wrong) - 5} more"] if len(wrong) > 5 else [])]
        raise ModelError(
            f"{owner} does not fit the weights that are held: {len(wrong)} parameters differ\n  "
            + "\n  ".join(shown)
        )
