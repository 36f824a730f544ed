"""Logits and labels in, the loss out in which some answer tokens count more than others.

A weight comes from the baseline, computed once for each example and kept in its row (`harness.training.weighting.kept`),
or from the model in training at each batch (a `Gate`). With several, a token's weights multiply.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from harness.training.encode import IGNORED


@dataclass(frozen=True)
class Seen:
    """The answer tokens of a batch as the model in training sees them, without a gradient.

    Attributes:
        logits: (tokens, vocabulary), float32.
        losses: -log p of each token, (tokens,).
        rows: the row of the batch that each token is in, (tokens,).
    """

    logits: Tensor
    losses: Tensor
    rows: Tensor


Gate = Callable[[Seen], Tensor]
"""The answer tokens of a batch in, the weight of each out, (tokens,)."""


def predicting(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The positions that predict an answer token, (rows, tokens - 1); their logits in float32, and those tokens.

    Args:
        logits: (rows, tokens, vocabulary); those at a position predict the token after it.
        labels: (rows, tokens), IGNORED but for answer tokens.
    """
    predicts = labels[:, 1:] != IGNORED
    # Chosen before they become float32: prompts are most of a batch.
    return predicts, logits[:, :-1][predicts].float(), labels[:, 1:][predicts]


def weighted_loss(
    logits: Tensor, labels: Tensor, kept: Tensor | None, gates: Sequence[Gate], items: Any = None
) -> Tensor:
    """sum_t w_t * -log p_t / items, a scalar in nats per token; with every weight 1, the usual cross entropy.

    Args:
        kept: the baseline's weights of all tokens, (rows, tokens); None for 1.
        gates: the weights by the model in training; no gradient goes through them.
        items: how many answer tokens the update has; None for those of this batch.
    """
    predicts, chosen, targets = predicting(logits, labels)  # (rows, tokens - 1), (answer tokens, ...)
    losses = cross_entropy(chosen, targets, reduction="none")  # (answer tokens,)
    weights = torch.ones_like(losses) if kept is None else kept[:, 1:][predicts].to(losses)
    if gates:
        with torch.no_grad():
            seen = Seen(chosen.detach(), losses.detach(), predicts.nonzero()[:, 0])
            for gate in gates:
                weights = weights * gate(seen)  # (answer tokens,)
    # By all answer tokens, not by the sum of weights: a batch of little weight moves the model little.
    return (weights * losses).sum() / (len(losses) if items is None else items)
