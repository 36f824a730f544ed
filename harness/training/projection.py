"""OPLoRA: LoRA adapters in, kept outside the strongest singular directions of their base weights (Xiong and Xie 2026)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from peft.tuners.lora import LoraLayer
from torch import Tensor
from transformers import TrainerCallback

from harness.errors import ModelError, Span


@dataclass(frozen=True)
class _Held:
    """A weight of an adapter, and the directions, (k, n), out of which it is kept, along its rows or its columns."""

    weight: torch.nn.Parameter
    directions: Tensor
    rows: bool

    def projected(self, value: Tensor) -> Tensor:
        """A tensor of the weight's shape without what it has in the directions."""
        rows = value.float() if self.rows else value.float().T  # (..., n)
        kept = rows - rows @ self.directions.T @ self.directions
        return (kept if self.rows else kept.T).to(value)


class Projection(TrainerCallback):  # type: ignore[misc]
    """The change of each weight is P_L B A P_R, with P_L = I - U U^T and P_R = I - V V^T (arXiv 2510.13003).

    U and V hold the k strongest left and right singular vectors of the base weight W, so W + P_L B A P_R has these k triples
    too. The adapter's weights themselves are projected, B = P_L B and A = A P_R, at the start and after each
    update, and so are their gradients: that makes the same steps as projecting in the forward pass, for Adam sees the same
    gradients, and leaves a plain LoRA adapter.

    Raises:
        ModelError: a weight has no more directions than are to be held, or an adapted module is no linear layer of floats.
    """

    def __init__(self, model: Any, directions: int, place: Span) -> None:
        self.held = [
            held
            for name, module in model.named_modules()
            if isinstance(module, LoraLayer)
            for held in _of_layer(name, module, directions, place)
        ]
        for held in self.held:
            held.weight.register_hook(held.projected)  # type: ignore[no-untyped-call]
        self.project()

    @torch.no_grad()
    def project(self) -> None:
        """Take the adapters' weights out of the directions that are held."""
        for held in self.held:
            held.weight.copy_(held.projected(held.weight))

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.project()  # Adam divides by element, so its steps leave the subspace


def _of_layer(name: str, module: Any, directions: int, place: Span) -> Iterator[_Held]:
    weight = getattr(module.get_base_layer(), "weight", None)
    if weight is None or weight.dim() != 2 or not weight.is_floating_point() or not module.lora_A:
        raise ModelError(
            f"{place}: 'oplora' takes linear layers, and {name} is none, or is quantised\n"
            "  name other 'target_modules', or leave 'oplora' out"
        )
    matrix = weight.detach().float()
    if getattr(module, "fan_in_fan_out", False):
        matrix = matrix.T  # (out, in)
    if directions >= min(matrix.shape):
        raise ModelError(
            f"{place}: 'oplora' holds {directions} directions, and {name} has only {min(matrix.shape)}\n"
            "  hold fewer, so that there is room for the adapter"
        )
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)  # (out, n), (n,), (n, in)
    for adapter in module.lora_A:
        yield _Held(module.lora_A[adapter].weight, right[:directions].clone(), rows=True)  # A is (r, in)
        yield _Held(
            module.lora_B[adapter].weight, left[:, :directions].T.clone(), rows=False
        )  # B is (out, r)
