"""The protocol of penalties on forgetting, and those on the distance of the weights from their start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from harness.errors import ModelError
from harness.progress import ProgressFor
from harness.recipes.mitigations.mitigation import Distance
from harness.recipes.read import Recipe
from harness.training.encode import Collator, Row


class Penalty(Protocol):
    """A term that is added to the loss of each micro-batch."""

    def loss(self, model: Any, step: int) -> Tensor:
        """The penalty for micro-batch `step`, counted from 0: a float32 scalar on the model's device.

        It depends on nothing but the model and `step`, so that a resumed training goes on as it would have.
        """
        ...


@dataclass(frozen=True)
class Batch:
    """A batch of the corpus, and what the model in training makes of it.

    Attributes:
        inputs: `input_ids` and `attention_mask`, (rows, tokens).
        labels: (rows, tokens), IGNORED but for answer tokens.
        logits: (rows, tokens, vocabulary), with a gradient.
    """

    inputs: Mapping[str, Tensor]
    labels: Tensor
    logits: Tensor


@runtime_checkable
class BatchPenalty(Protocol):
    """A term that is added to the loss of each micro-batch, and comes from that batch."""

    def over(self, batch: Batch) -> Tensor:
        """The penalty: a float32 scalar on the model's device."""
        ...


@dataclass(frozen=True)
class Start:
    """Everything that a penalty may be built from.

    Attributes:
        model: ready to train, and still the baseline.
        rows: the encoded general data of the penalty's own key; empty if it brings none.
    """

    recipe: Recipe
    model: Any
    rows: Sequence[Row]
    collator: Collator
    counter: ProgressFor


class StartingPoint:
    """strength * sum_i distance(theta_i, theta*_i): a penalty on the distance from the start, such as L2-SP (Li 2018).

    theta* is a copy of the trainable parameters at construction.

    Raises:
        ModelError: no parameter is trainable, or a later model lacks one that was.
    """

    def __init__(self, model: Any, strength: float, distance: Distance) -> None:
        self.strength = strength
        self.distance = distance
        self.anchor = copied(trainable(model))

    def loss(self, model: Any, step: int) -> Tensor:
        return self.strength * summed_distance(model, self.anchor, self.distance)


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block (no dropout); the mode of every module is restored."""
    before = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in before:
            module.training = mode


@contextmanager
def keeping_what_learns(model: torch.nn.Module) -> Iterator[None]:
    """`requires_grad` of every parameter is restored: peft freezes an adapter while it is off, then thaws all of it."""
    before = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    try:
        yield
    finally:
        for parameter, learns in before:
            parameter.requires_grad_(learns)


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


def summed_distance(
    model: torch.nn.Module,
    anchor: dict[str, Tensor],
    distance: Distance,
    importance: dict[str, Tensor] | None = None,
) -> Tensor:
    """sum_i F_i distance(theta_i, theta*_i) in float32, F = 1 without `importance`.

    The tensors of `anchor` and `importance` move to the devices of the model's parameters, once.

    Raises:
        ModelError: the model does not have the parameters of the anchor.
    """
    parameters = dict(model.named_parameters())
    check_fit(anchor, parameters, "the model")
    device = next(iter(parameters.values())).device
    parts = []
    for name in anchor:
        now = parameters[name]  # (...), as all of the parameter's tensors here
        anchor[name] = anchor[name].to(now.device)  # no copy where it lies there already
        # In float32: in bfloat16 the small moves of one step would round to none.
        apart = distance(now.float(), anchor[name].float())  # (...)
        if importance is not None:
            importance[name] = importance[name].to(now.device)
            apart = importance[name] * apart  # (...)
        parts.append(apart.sum().to(device))  # (), on one device even if the model lies on several
    # Summed as a tensor: nothing is copied to the CPU, so nothing waits for the GPU.
    return torch.stack(parts).sum()  # (parameters,) -> ()


def check_fit(
    expected: Mapping[str, Tensor], seen: Mapping[str, Tensor], owner: str, exactly: bool = False
) -> None:
    """Refuse tensors that lack an expected name or shape, or, if `exactly`, that have one more.

    Raises:
        ModelError: naming those that do not fit.
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
