"""Rows of tokens through a model: what it writes after each (greedily), and how likely continuations are.

What all rows begin with is read once, into a key-value cache that every batch starts from.

Shapes: `rows` sequences in a batch, padded on the left to `width` tokens; `seen` is the length of the shared beginning.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from os.path import commonprefix
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from harness.engine.pace import Stepped
from harness.engine.transformers.writing import Writing

LEAST_PREFIX = 4
"""Shorter shared beginnings are not worth a forward pass of their own."""

COMPACT_BELOW = 0.75
"""Once a smaller share of a batch's rows is unfinished, the finished ones are dropped."""


@dataclass(frozen=True)
class Prefix:
    """The tokens that all rows begin with, and the model's key-value cache after reading them."""

    length: int
    cache: Any = None

    def expanded(self, config: Any, rows: int) -> Any:
        """A cache for a batch of `rows`, filled with the prefix."""
        cache = DynamicCache(config=config)
        if self.length:
            for index, layer in enumerate(self.cache.layers):
                # (1, heads, seen, features) -> (rows, heads, seen, features), without a copy
                keys, values = (part.expand(rows, -1, -1, -1) for part in (layer.keys, layer.values))
                cache.update(keys, values, index)
        return cache


NO_PREFIX = Prefix(0)


class NotFinite(FloatingPointError):
    """Logits of the row with this index were NaN or infinite."""

    def __init__(self, row: int) -> None:
        super().__init__(f"the logits of row {row} are NaN or infinite")
        self.row = row


class Forward:
    """A model as a function: a padded batch in, the logits of its last positions out."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.config = model.config.get_text_config()
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model
        self.takes = inspect.signature(inner.forward).parameters

    def __call__(
        self, tokens: torch.Tensor, mask: torch.Tensor, keep: int, cache: Any = None
    ) -> torch.Tensor:
        """Logits, (rows, keep or more, vocabulary).

        Args:
            tokens: (rows, width).
            mask: (rows, tokens in the cache + width); 0 for padding.
            keep: how many of the last positions need logits; some models compute them for all.
            cache: keys and values of earlier tokens; those of `tokens` are added. None to read without one.
        """
        extra: dict[str, Any] = (
            {"use_cache": False} if cache is None else {"past_key_values": cache, "use_cache": True}
        )
        if "position_ids" in self.takes:
            # Counted without padding, so that a row is computed alike in any batch.
            extra["position_ids"] = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -tokens.shape[1] :]
        if "logits_to_keep" in self.takes:
            extra["logits_to_keep"] = keep
        logits: torch.Tensor = self.model(input_ids=tokens, attention_mask=mask, **extra).logits
        return logits


def read_prefix(model: Any, rows: Sequence[Sequence[int]]) -> Prefix:
    """Read once the tokens that all `rows` begin with, leaving at least one token of each row."""
    if len(rows) < 2:
        return NO_PREFIX
    length = min(len(commonprefix([list(row) for row in rows])), min(map(len, rows)) - 1)
    if length < LEAST_PREFIX:
        return NO_PREFIX
    tokens = torch.tensor([list(rows[0][:length])], device=model.device)  # (1, seen)
    cache = DynamicCache(config=model.config.get_text_config())
    cache = model(input_ids=tokens, past_key_values=cache, use_cache=True).past_key_values
    # A sliding-window layer has dropped tokens that shorter rows still need.
    if not all(type(layer) is DynamicLayer for layer in cache.layers):
        return NO_PREFIX
    return Prefix(length, cache)


def pad_left(
    rows: Sequence[Sequence[int]], pad: int, device: Any, seen: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens padded on the left, (rows, width), and their mask, (rows, seen + width)."""
    width = max(map(len, rows))
    tokens = torch.full((len(rows), width), pad)
    mask = torch.zeros((len(rows), seen + width), dtype=torch.long)
    mask[:, :seen] = 1
    for index, row in enumerate(rows):
        tokens[index, width - len(row) :] = torch.tensor(row)
        mask[index, seen + width - len(row) :] = 1
    return tokens.to(device), mask.to(device)


def greedy(
    forward: Forward,
    prefix: Prefix,
    prompts: Sequence[Sequence[int]],
    answers: Sequence[Writing],
    pad: int,
    compact: bool,
    stepped: Stepped,
    cached: bool = True,
) -> None:
    """Append the likeliest token to each prompt, step by step, until every answer is complete.

    Args:
        prompts: the tokens after the prefix, at least one each.
        answers: take the tokens of each row, and say when it is complete.
        compact: drop finished rows from the batch. That changes its shape, and with it the rounding: only for
            arithmetic (float32) precise enough that the likeliest token stays the same.
        stepped: hears of each step.
        cached: read only the newest token at each step; else every row from its beginning.

    Raises:
        NotFinite: logits were NaN or infinite.
    """
    # tokens (rows, width), mask (rows, seen + width)
    tokens, mask = pad_left(prompts, pad, forward.model.device, prefix.length)
    cache = prefix.expanded(forward.config, len(prompts)) if cached else None
    rows = list(range(len(prompts)))  # the answer that each row of the tensors belongs to
    going = set(rows)
    while True:
        logits = forward(tokens, mask, 1, cache)[:, -1]  # (rows, vocabulary)
        likeliest = logits.argmax(dim=-1)  # (rows,)
        # (rows, 2): the likeliest token, and whether all logits are finite; one transfer from the device.
        step = torch.stack([likeliest, torch.isfinite(logits).all(dim=-1)], dim=-1).tolist()
        writing = len(going)
        for row, (token, finite) in zip(rows, step, strict=True):
            if row in going:
                if not finite:
                    raise NotFinite(row)
                if not answers[row].take(token):
                    going.discard(row)
        stepped(writing, len(prompts) - len(going))
        if not going:
            return
        if compact and len(going) < COMPACT_BELOW * len(rows):
            kept = torch.tensor([i for i, row in enumerate(rows) if row in going], device=tokens.device)
            if cache is not None:
                cache.batch_select_indices(kept)
            # From here on, `rows` counts the unfinished rows alone.
            tokens, likeliest, mask = tokens[kept], likeliest[kept], mask[kept]
            rows = [row for row in rows if row in going]
        newest = likeliest[:, None]  # (rows, 1)
        tokens = newest if cached else torch.cat([tokens, newest], dim=1)  # (rows, 1) or (rows, width + 1)
        mask = torch.cat([mask, torch.ones_like(newest)], dim=1)  # (rows, seen + width + 1)


def log_likelihoods(
    forward: Forward, prefix: Prefix, pairs: Sequence[tuple[list[int], list[int]]], pad: int
) -> list[tuple[float, bool]]:
    """log p(continuation | context) of each (context, continuation), in nats, summed over its tokens in float32.

    With each comes whether its tokens are the likeliest ones, which the model would write.

    Raises:
        NotFinite: logits were NaN or infinite.
    """
    # The last token predicts nothing, so it is not read. tokens (rows, width), mask (rows, seen + width)
    read = [[*context, *continuation][prefix.length : -1] for context, continuation in pairs]
    tokens, mask = pad_left(read, pad, forward.model.device, prefix.length)
    cache = prefix.expanded(forward.config, len(pairs)) if prefix.length else None
    keep = max(len(continuation) for _, continuation in pairs)
    logits = forward(tokens, mask, keep, cache)  # (rows, keep or more, vocabulary)
    sums, written = [], []
    for row, (_, continuation) in zip(logits, pairs, strict=True):
        own = row[-len(continuation) :].float()  # (continuation, vocabulary): position i predicts token i
        targets = torch.tensor(continuation, device=own.device)[:, None]  # (continuation, 1)
        summed = torch.log_softmax(own, dim=-1).gather(1, targets).sum()
        # An infinite logit of another token leaves a sum that looks sound.
        sums.append(torch.where(torch.isfinite(own).all(), summed, torch.nan))
        written.append((own.argmax(dim=-1) == targets[:, 0]).all())
    values: list[float] = torch.stack(sums).tolist()
    for index, value in enumerate(values):
        if not math.isfinite(value):
            raise NotFinite(index)
    return list(zip(values, torch.stack(written).tolist(), strict=True))
