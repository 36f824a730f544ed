"""A tensor before and after tuning in, the tensor with less of the change out. No training and no data are needed."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.training.edits.edit import Pruning


def edited(start: Tensor, end: Tensor, strength: float, pruning: Pruning | None, keep: float) -> Tensor:
    """The tensor with `strength` of what is left of its change after pruning, in the dtype of `end`.

    Strength 0 gives `start` exactly, and strength 1 without pruning `end`.

    Args:
        start, end: before and after tuning, of one shape.
        keep: the share of values whose changes stay, in (0, 1]; of no effect without `pruning`.
    """
    if strength == 0:
        return start.to(end.dtype)
    if strength == 1 and pruning is None:
        return end
    precise = torch.promote_types(end.dtype, torch.float32)
    before = start.to(precise)
    change = end.to(precise) - before
    if pruning == "magnitude":
        change = trimmed(change, keep)
    elif pruning == "forgetting-aware":
        change = forgetting_aware(change, before, keep)
    return interpolated(before, change, strength).to(end.dtype)


def interpolated(start: Tensor, change: Tensor, strength: float) -> Tensor:
    """theta_0 + a (theta_1 - theta_0): WiSE-FT (Wortsman et al. 2022, arXiv 2109.01903, section 3)."""
    return start + strength * change


def trimmed(change: Tensor, keep: float) -> Tensor:
    """The change with its largest values, by magnitude, and zeros: the trim of TIES (Yadav et al. 2023, arXiv 2306.01708).

    Of each tensor int(keep * values) stay, as in peft's `magnitude_based_pruning`; the paper trims the task vector as a whole.
    """
    return _top(change, change.abs(), keep)


def forgetting_aware(change: Tensor, start: Tensor, keep: float) -> Tensor:
    """The change with its values of the highest scores, and zeros: FAPM (Huang et al. 2025, arXiv 2509.08255).

    S = |dW| - mean(|W|) |dW| / |W| for the start W, of each tensor by itself: a change counts less where it is large beside the
    weight that it changes. int(keep * values) stay; the paper keeps a tenth. A weight of 0 has the score -inf, its limit.
    """
    size = start.abs()
    score = change.abs() - size.mean() * change.abs() / size
    return _top(change, score.masked_fill(size == 0, -torch.inf), keep)


def _top(change: Tensor, score: Tensor, keep: float) -> Tensor:
    """The values of the change with the highest scores, and zeros."""
    number = int(keep * change.numel())
    places = score.flatten().topk(number, sorted=False).indices
    kept = torch.zeros_like(change).flatten()
    kept[places] = change.flatten()[places]
    return kept.reshape(change.shape)
