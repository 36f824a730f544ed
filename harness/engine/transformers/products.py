"""Matrix products of float32 on a CPU, by whichever library is faster there: torch's own choice, or oneDNN.

torch multiplies by MKL, which takes no AVX-512 on processors that are not Intel's. oneDNN, which torch has too and uses for
smaller floats, does. Both sum in float32.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import Parameter, functional

MUCH_FASTER = 1.25
"""How many times as fast oneDNN must be to be chosen: more than a machine is now and then faster or slower by."""

SMALLEST = 1 << 14
"""Elements of a weight; with fewer, as an adapter's factors have, the call takes oneDNN longer than the product."""

ROUND = 16
"""Rows are padded to a multiple of so many, fewer to a power of two."""

TRIED_ROWS, TRIED_FEATURES, TRIES = 64, 1024, 8

Linear = Callable[..., Tensor]
"""(rows, in), (out, in) and a bias or None -> (rows, out)."""


class FastProducts:
    """Lends `torch.nn.functional.linear`, which all layers call, to oneDNN while some thread is inside."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.inside = 0
        self.own: Linear = functional.linear

    @contextmanager
    def on(self, device: torch.device) -> Iterator[None]:
        """Inside the block, models on a CPU multiply by the faster library."""
        if device.type != "cpu" or not onednn_is_faster():
            yield
            return
        with self.lock:
            if not self.inside:
                self.own, functional.linear = functional.linear, self.linear
            self.inside += 1
        try:
            yield
        finally:
            with self.lock:
                self.inside -= 1
                if not self.inside:
                    functional.linear = self.own

    def linear(self, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """The layer by oneDNN where it can do that, else by torch's own function."""
        if not _suits(input, weight):
            return self.own(input, weight, bias)
        rows = input.flatten(0, -2)
        count = len(rows)
        if more := rounded(count) - count:
            rows = functional.pad(rows, (0, 0, 0, more))
        multiply = OneDNN.apply if torch.is_grad_enabled() else by_onednn
        found: Tensor = multiply(rows, weight, bias)
        return found[:count].view(*input.shape[:-1], -1)


def rounded(rows: int) -> int:
    """A number of rows that is not much larger, and one of few: oneDNN compiles and keeps half a megabyte for each."""
    return -(-rows // ROUND) * ROUND if rows > ROUND else 1 << (rows - 1).bit_length()


class OneDNN(torch.autograd.Function):
    """A linear layer y = x W^T + b and its gradients: g W of x, g^T x of W, and the sum of g over rows of b."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(rows, weight)
        return by_onednn(rows, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight = ctx.saved_tensors
        of_rows, of_weight, of_bias = ctx.needs_input_grad
        return (
            by_onednn(gradient, weight.t()) if of_rows else None,
            by_onednn(gradient.t(), rows.t()) if of_weight else None,
            gradient.sum(0) if of_bias else None,
        )


fast_products = FastProducts().on


def _suits(rows: Tensor, weight: Tensor) -> bool:
    # A quantised weight is a class of its own, with products of its own.
    plain = type(rows) is Tensor and type(weight) in (Tensor, Parameter) and weight.layout is torch.strided
    here = plain and rows.is_cpu and weight.is_cpu and rows.dtype == weight.dtype == torch.float32
    large = here and weight.numel() >= SMALLEST and rows.numel() > 0 and rows.dim() > 1
    return large and not torch.is_autocast_enabled("cpu") and not torch.compiler.is_compiling()


@cache
def onednn_is_faster() -> bool:
    """Whether oneDNN is much faster on this machine, as measured in some milliseconds, once a process."""
    if _onednn() is None or not torch.backends.mkldnn.enabled:
        return False
    with torch.inference_mode():
        rows, weight = torch.ones(TRIED_ROWS, TRIED_FEATURES), torch.ones(TRIED_FEATURES, TRIED_FEATURES)
        # In turns, and the best of each: whatever else the machine does then takes from both.
        tries = [
            (_seconds(functional.linear, rows, weight), _seconds(by_onednn, rows, weight))
            for _ in range(TRIES)
        ]
    return min(own for own, _ in tries) > MUCH_FASTER * min(other for _, other in tries)


def by_onednn(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A linear layer without gradients."""
    found: Tensor = _onednn()(rows, weight, bias, "none", [], "")
    return found


def _onednn() -> Any:
    """torch's entry to oneDNN for linear layers, made for its compiler; None in a build that has none."""
    return getattr(torch.ops.mkldnn, "_linear_pointwise", None)


def _seconds(linear: Linear, rows: Tensor, weight: Tensor) -> float:
    began = time.perf_counter()
    linear(rows, weight, None)
    return time.perf_counter() - began
