"""TALR: the weight of a token is a power of its probability under the model in training (Lin 2025)."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.recipes.mitigations.talr import TalrFormat
from harness.training.weighting.weighted import Gate, Seen


def build(part: TalrFormat) -> Gate:
    """max(p^(1 / tau), least): the idea of arXiv 2509.20758, by reports of it and a reimplementation; the paper was not read.

    tau is the median of the mean losses of the batch's examples unless `temperature` says otherwise.
    """

    def gate(seen: Seen) -> Tensor:
        tau = part.temperature or _median(seen)
        # Of logarithms: p itself may round to 0.
        return (-seen.losses / max(tau, 1e-6)).exp().clamp(min=part.least)  # (tokens,)

    return gate


def _median(seen: Seen) -> float:
    """The median of the mean losses of the batch's examples, in nats; of an even number, the mean of the middle two."""
    rows = sorted(set(seen.rows.tolist()))
    means = [seen.losses[seen.rows == row].mean() for row in rows]
    return float(torch.stack(means).quantile(0.5)) if means else 1.0
