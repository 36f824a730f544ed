"""A loaded model in, proof of what it is out: the base that it was, a causal language model, the same as another or not.

What a green run claims of a baseline must not hang on what a library is believed to do, so it is measured: the bytes of all
tensors, and the logits of a few rows of tokens.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch

from harness.engine.transformers.fingerprint import fingerprint

PROBE_TEXT = "The quick brown fox jumps over the lazy dog. 1 2 3. def f(x): return x"
SPREAD = 32
"""Tokens of a probe row that are spread evenly over the vocabulary."""

ADDED = 64
"""So many of a tokenizer's added tokens are among them."""

CANNOT_COMPUTE = (ValueError, TypeError, KeyError, RuntimeError, AttributeError, IndexError)
"""What a model raises in its forward pass when its config, its weights or its adapter do not belong together."""

Row = list[int]


@dataclass(frozen=True)
class Snapshot:
    """A model as it was: its parameters and buffers, the SHA-256 of each, and its logits of each probe row."""

    tensors: Sequence[torch.Tensor]
    names: Sequence[str]
    digests: Sequence[str]
    rows: Sequence[Row]
    logits: Sequence[torch.Tensor]


def probe_rows(
    model: Any, tokenizer: Any = None, special: Iterable[int] = (), most: int | None = None
) -> list[Row]:
    """Rows of tokens to compare logits on: tokens from all over the vocabulary with `special` among them, and a text.

    The tokenizer's added tokens, such as those of a chat, are among them too: an adapter may have learnt nothing else.

    Args:
        special: tokens that make an adapter act, or whose embeddings it changes.
        most: how many tokens of the vocabulary to use, where something else knows fewer than the model.
    """
    size = min(len(model.get_input_embeddings().weight), most or sys.maxsize)
    spread = [round(index * (size - 1) / (SPREAD - 1)) for index in range(SPREAD)]
    added = sorted(tokenizer.added_tokens_decoder)[:ADDED] if tokenizer is not None else []
    middle = [token for token in (*special, *added) if 0 <= token < size]
    rows = [spread[: SPREAD // 2] + middle + spread[SPREAD // 2 :]]
    if tokenizer is not None:
        text = tokenizer(PROBE_TEXT, add_special_tokens=False).input_ids
        rows.append([token for token in text if token < size] or spread)
    return rows


@torch.inference_mode()
def logits_of(model: Any, rows: Sequence[Row]) -> list[torch.Tensor]:
    """The logits of each row, (1, tokens, vocabulary), on the CPU; one row at a time."""
    device = model.device
    return [model(input_ids=torch.tensor([row], device=device)).logits.cpu() for row in rows]


def snapshot(model: Any, rows: Sequence[Row]) -> Snapshot:
    """A model as it is now, before something is put on it."""
    named = list(_distinct(model))
    return Snapshot(
        [tensor for _, tensor in named],
        [name for name, _ in named],
        [fingerprint([each]) for each in named],
        rows,
        logits_of(model, rows),
    )


def what_changed(before: Snapshot, model: Any, besides: Collection[str] = ()) -> str | None:
    """What of a model is no longer as it was, in words; None if it is the same to the last bit.

    Args:
        model: the same, with whatever was put on it switched off.
        besides: names of tensors that may have changed, and the logits with them.
    """
    in_use = {id(tensor) for tensor in chain(model.parameters(), model.buffers())}
    for name, tensor, was in zip(before.names, before.tensors, before.digests, strict=True):
        if name in besides:
            continue
        if id(tensor) not in in_use:
            return f"it puts another tensor in the place of the base's '{name}'"
        if fingerprint([(name, tensor)]) != was:
            return f"it changes the base's '{name}'"
    if not besides and not same_logits(before.logits, logits_of(model, before.rows)):
        return "with it switched off, the base's logits are not what they were"
    return None


def same_logits(left: Sequence[torch.Tensor], right: Sequence[torch.Tensor]) -> bool:
    """Whether logits are equal to the last bit."""
    return len(left) == len(right) and all(
        a.shape == b.shape and torch.equal(a, b) for a, b in zip(left, right, strict=True)
    )


def same_tensors(
    left: Mapping[str, torch.Tensor], right: Mapping[str, torch.Tensor], embeddings: Collection[str] = ()
) -> bool:
    """Whether two models have the same tensors, up to the rounding of a smaller float in which one of them was saved.

    Args:
        embeddings: names of tensors of which one side may have more rows, for tokens that were added and never trained.
    """
    if left.keys() != right.keys():
        return False
    for name in embeddings:
        rows = min(len(left[name]), len(right[name]))
        left, right = {**left, name: left[name][:rows]}, {**right, name: right[name][:rows]}
    if any(left[name].shape != right[name].shape for name in left):
        return False
    if all(_equal_in(torch.float32, left[name], right[name]) for name in left):
        return True
    return any(
        all(_equal_in(dtype, left[name], right[name]) for name in left)
        and any(
            all(_equal_in(torch.float32, t, t.to(dtype)) for t in side.values()) for side in (left, right)
        )
        for dtype in (torch.bfloat16, torch.float16)
    )


def embedding_names(model: Any) -> list[str]:
    """The names of the parameters that have a row for each token."""
    modules = (model.get_input_embeddings(), model.get_output_embeddings())
    weights = {id(module.weight) for module in modules if module is not None}
    named = model.named_parameters(remove_duplicate=False)
    return [name for name, parameter in named if id(parameter) in weights]


def is_causal(model: Any, row: Row) -> bool:
    """Whether the logits of a beginning do not depend on what follows it."""
    half = len(row) // 2
    whole, beginning = logits_of(model, [row, row[:half]])
    whole = whole[:, :half].float()
    # Rounding differs with the length; what a model sees of the future is of another order.
    away = (whole - beginning.float()).abs().mean()
    return bool(away <= 0.05 * whole.std()) or not bool(torch.isfinite(away))


@torch.inference_mode()
def keeps_cache(model: Any) -> bool:
    """Whether a model hands out what it has read, so that it need not read it again."""
    tokens = torch.tensor([probe_rows(model)[0][:2]], device=model.device)
    return getattr(model(input_ids=tokens), "past_key_values", None) is not None


def _distinct(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Parameters and buffers by name; tied ones once."""
    yield from model.named_parameters()
    yield from model.named_buffers()


def _equal_in(dtype: torch.dtype, left: torch.Tensor, right: torch.Tensor) -> bool:
    if not left.is_floating_point() or not right.is_floating_point():
        return torch.equal(left, right.to(left.device))
    return torch.equal(left.to(dtype), right.to(left.device, dtype))
