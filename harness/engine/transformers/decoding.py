"""Prompts as tokens in, greedily written tokens out: one prefill of what all prompts share, then step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os.path import commonprefix
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from harness.engine.transformers.writing import Writing

LEAST_PREFIX = 4
"""Prompts that share fewer tokens than this are not worth a pass of their own."""

COMPACT_BELOW = 0.75
"""Rows that have ended are dropped from a batch once fewer than this share of it goes on."""


@dataclass(frozen=True)
class Prefix:
    """The tokens with which all rows begin, and the model's key-value cache after reading them."""

    length: int
    cache: Any = None

    def expanded(self, config: Any, rows: int) -> Any:
        """A cache for a batch of `rows`, filled with the prefix."""
        cache = DynamicCache(config=config)
        if self.length:
            for index, layer in enumerate(self.cache.layers):
                cache.update(
                    layer.keys.expand(rows, -1, -1, -1), layer.values.expand(rows, -1, -1, -1), index
                )
        return cache


NO_PREFIX = Prefix(0)


class NotFinite(FloatingPointError):
    """The logits of the row with this index were NaN or infinite while it was being written."""

    def __init__(self, row: int) -> None:
        super().__init__(f"the logits of row {row} are NaN or infinite")
        self.row = row


def read_prefix(model: Any, rows: Sequence[Sequence[int]]) -> Prefix:
    """Compute once what all `rows` begin with; at least one token of each row stays outside it."""
    if len(rows) < 2:
        return NO_PREFIX
    length = min(len(commonprefix([list(row) for row in rows])), min(map(len, rows)) - 1)
    if length < LEAST_PREFIX:
        return NO_PREFIX
    tokens = torch.tensor([list(rows[0][:length])], device=model.device)
    cache = DynamicCache(config=model.config.get_text_config())
    cache = model(input_ids=tokens, past_key_values=cache, use_cache=True).past_key_values
    # A cache that forgets (a sliding window) cannot be carried on from for every row alike.
    if not all(type(layer) is DynamicLayer for layer in cache.layers):
        return NO_PREFIX
    return Prefix(length, cache)


def pad_left(
    rows: Sequence[Sequence[int]], pad: int, device: Any, before: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Token rows padded on the left, (rows, width), and the mask over `before` earlier tokens and them."""
    width = max(len(row) for row in rows)
    tokens = torch.full((len(rows), width), pad)
    mask = torch.zeros((len(rows), before + width), dtype=torch.long)
    mask[:, :before] = 1
    for index, row in enumerate(rows):
        tokens[index, width - len(row) :] = torch.tensor(row)
        mask[index, before + width - len(row) :] = 1
    return tokens.to(device), mask.to(device)


def positions(mask: torch.Tensor, last: int) -> torch.Tensor:
    """The position of each of the last `last` tokens of a padded batch, counted without padding."""
    return (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -last:]


def greedy(
    model: Any,
    forward: Callable[..., torch.Tensor],
    prefix: Prefix,
    prompts: Sequence[Sequence[int]],
    answers: Sequence[Writing],
    pad: int,
    compact: bool,
    cached: bool = True,
) -> None:
    """Write on from each prompt with the likeliest token at every step, until no answer goes on.

    Args:
        forward: (input_ids, attention_mask, position_ids, past_key_values) -> logits of the last position, (rows, vocabulary).
        prompts: the tokens after the prefix, at least one each.
        answers: what takes the tokens of each row, and says when it ends.
        compact: drop rows that have ended from the batch. It changes the shape of the rest, so it is for
            arithmetic (float32) in which shape does not change what is likeliest.
        cached: read only the newest token at each step; else every row whole, with None for a cache.

    Raises:
        NotFinite: logits were NaN or infinite.
    """
    tokens, mask = pad_left(prompts, pad, model.device, prefix.length)
    place = positions(mask, tokens.shape[1])
    cache = prefix.expanded(model.config.get_text_config(), len(prompts)) if cached else None
    rows = list(range(len(prompts)))
    going = set(rows)
    while True:
        logits = forward(tokens, mask, place, cache)
        likeliest = logits.argmax(dim=-1)
        # (rows, 2): the likeliest token, and whether all logits are finite; one transfer from the device.
        step = torch.stack([likeliest, torch.isfinite(logits).all(dim=-1)], dim=-1).tolist()
        for row, (token, finite) in zip(rows, step, strict=True):
            if row in going:
                if not finite:
                    raise NotFinite(row)
                if not answers[row].take(token):
                    going.discard(row)
        if not going:
            return
        if compact and len(going) < COMPACT_BELOW * len(rows):
            kept = torch.tensor([i for i, row in enumerate(rows) if row in going], device=model.device)
            if cache is not None:
                cache.batch_select_indices(kept)
            tokens, likeliest, mask, place = tokens[kept], likeliest[kept], mask[kept], place[kept]
            rows = [row for row in rows if row in going]
        mask = torch.cat([mask, mask.new_ones((len(rows), 1))], dim=1)
        tokens = likeliest[:, None] if cached else torch.cat([tokens, likeliest[:, None]], dim=1)
        place = place[:, -1:] + 1 if cached else positions(mask, tokens.shape[1])
