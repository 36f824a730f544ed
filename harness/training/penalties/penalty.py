"""A model in training in, a penalty on forgetting out: the seam, and the penalties on the distance from the start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from harness.errors import ModelError
from harness.progress import Counter
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
class Start:
    """What a penalty may be made from.

    Attributes:
        model: ready to train, and still the baseline.
        rows: the encoded general data of the penalty's own key; empty if it brings none.
    """

    recipe: Recipe
    model: Any
    rows: Sequence[Row]
    collator: Collator
    counter: Counter


class StartingPoint:
    """strength * sum_i distance(theta_i, theta*_i): a penalty on the distance from the start, such as L2-SP (Li 2018).

    theta* is a copy of the parameters that are trainable when it is made.

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


def summed_distance(
    model: torch.nn.Module,
    anchor: dict[str, Tensor],
    distance: Distance,
    importance: dict[str, Tensor] | None = None,
) -> Tensor:
    """sum_i F_i distance(theta_i, theta*_i) in float32, F = 1 without `importance`.

    Held tensors move to where the model's parameters are, once.

    Raises:
        ModelError: the model does not have the parameters of the anchor.
    """
    parameters = dict(model.named_parameters())
    check_fit(anchor, parameters, "the model")
    device = next(iter(parameters.values())).device
    parts = []
    for name in anchor:
        now = parameters[name]
        # In float32, for in bfloat16 the small moves of one step would round to none.
        apart = distance(now.float(), _beside(now, anchor, name).float())  # the parameter's shape
        if importance is not None:
            apart = _beside(now, importance, name) * apart
        parts.append(apart.sum().to(device))  # (), on one device even if the model lies on several
    # One sum over a tensor: nothing is copied to the CPU, so the GPU need not be waited for.
    return torch.stack(parts).sum()  # (parameters,) -> ()


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
