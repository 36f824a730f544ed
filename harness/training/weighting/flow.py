"""FLOW: the weight of an example falls with its loss under the baseline (Sanyal 2025)."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import torch
from torch import Tensor

from harness.recipes.mitigations.flow import FlowFormat


def weights(losses: Sequence[Tensor], part: FlowFormat) -> list[Tensor]:
    """exp(-l / tau) for each token of an example whose mean loss is l, as in the authors' code (arXiv 2502.02797).

    tau is the median of all examples' mean losses unless `temperature` says otherwise.

    Args:
        losses: -log p of each answer token under the baseline, a tensor an example.
    """
    means = [float(example.mean()) for example in losses]
    tau = part.temperature or median(means) or 1.0  # all losses 0: all weights are 1
    return [
        torch.full_like(example, mean).div(-tau).exp() for example, mean in zip(losses, means, strict=True)
    ]
