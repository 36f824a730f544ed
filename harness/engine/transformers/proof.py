"""A loaded model in, proof of what it is out: unchanged, causal, or equal to another model.

A passing run vouches for its baseline, so nothing here relies on what a library should do: the bytes of all tensors and
the logits of a few rows of tokens are measured.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch

from harness.engine.transformers.fingerprint import fingerprint

PROBE_TEXT = "The quick brown fox jumps over the lazy dog. 1 2 3. def f(x): return x"
SPREAD = 32
"""Tokens of a probe row, evenly spaced over the vocabulary."""

ADDED = 64
"""At most this many of the tokenizer's added tokens join them."""

CANNOT_COMPUTE = (ValueError, TypeError, KeyError, RuntimeError, AttributeError, IndexError)
"""What a forward pass raises if config, weights or adapter do not belong together."""

CHUNK = 4096
"""Tokens of the vocabulary that are embedded at once."""

Row = list[int]


@dataclass(frozen=True)
class Snapshot:
    """The state of a model: its parameters and buffers, the SHA-256 of each, and its logits for each probe row."""

    tensors: Sequence[torch.Tensor]
    names: Sequence[str]
    digests: Sequence[str]
    rows: Sequence[Row]
    logits: Sequence[torch.Tensor]


def probe_rows(
    model: Any, tokenizer: Any = None, special: Iterable[int] = (), most: int | None = None
) -> list[Row]:
    """Rows of tokens to compare logits on: one from all over the vocabulary, one of a text.

    The first has `special` and the tokenizer's added tokens in its middle: an adapter may have learnt nothing else.

    Args:
        special: tokens that invoke an adapter, or whose embeddings it changes.
        most: use the first tokens of the vocabulary only, if an adapter knows fewer than the model.
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
    """The logits of each row, (1, tokens, vocabulary), on the CPU; computed one row at a time."""
    device = model.device
    return [model(input_ids=torch.tensor([row], device=device)).logits.cpu() for row in rows]


@torch.inference_mode()
def logit_digits(model: Any, tokenizer: Any, special: Iterable[int]) -> str | None:
    """The digest of a model's logits for its probe rows and of its embeddings of all tokens; None if it cannot compute them.

    Two models with equal digits are one, but for one that differs after other tokens alone.
    """
    try:
        logits = logits_of(model, probe_rows(model, tokenizer, special))
        if not all(bool(torch.isfinite(row).all()) for row in logits):
            return None
        embed = model.get_input_embeddings()
        tokens = torch.split(torch.arange(len(embed.weight), device=model.device), CHUNK)
        return fingerprint(("", values) for values in chain(logits, map(embed, tokens)))
    except CANNOT_COMPUTE:
        return None


def snapshot(model: Any, rows: Sequence[Row]) -> Snapshot:
    """The current state of a model, before an adapter is put on it; tied parameters count once."""
    named = dict([*model.named_parameters(), *model.named_buffers()])
    digests = [fingerprint([item]) for item in named.items()]
    return Snapshot(list(named.values()), list(named), digests, rows, logits_of(model, rows))


def what_changed(before: Snapshot, model: Any, besides: Collection[str] = ()) -> str | None:
    """What differs in a model since a snapshot, in words; None if it is bit-identical.

    Args:
        model: the model of the snapshot, with any adapter switched off.
        besides: names of tensors that may differ; with any, the logits may too.
    """
    in_use = {id(tensor) for tensor in chain(model.parameters(), model.buffers())}
    for name, tensor, was in zip(before.names, before.tensors, before.digests, strict=True):
        if name in besides:
            continue
        if id(tensor) not in in_use:
            return f"it replaces the base's '{name}'"
        if fingerprint([(name, tensor)]) != was:
            return f"it changes the base's '{name}'"
    if not besides and not same_logits(before.logits, logits_of(model, before.rows)):
        return "it changes the base's logits"
    return None


def same_logits(left: Sequence[torch.Tensor], right: Sequence[torch.Tensor]) -> bool:
    """Whether logits are bit-identical."""
    return len(left) == len(right) and all(
        a.shape == b.shape and torch.equal(a, b) for a, b in zip(left, right, strict=True)
    )


def same_tensors(
    left: Mapping[str, torch.Tensor], right: Mapping[str, torch.Tensor], embeddings: Collection[str] = ()
) -> bool:
    """Whether two models have equal tensors, up to the rounding of a smaller float that one of them was saved in.

    Args:
        embeddings: names of tensors that may have more rows on one side, for tokens that were added and never trained.
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
    # Equal after rounding is no proof yet: one side must hold rounded values already.
    return any(
        all(_equal_in(dtype, left[name], right[name]) for name in left)
        and any(
            all(_equal_in(torch.float32, t, t.to(dtype)) for t in side.values()) for side in (left, right)
        )
        for dtype in (torch.bfloat16, torch.float16)
    )


def embedding_modules(model: Any) -> list[Any]:
    """The modules with a row for each token: those that embed tokens and those that score them."""
    modules = (model.get_input_embeddings(), model.get_output_embeddings())
    return [module for module in modules if module is not None]


def embedding_names(model: Any) -> list[str]:
    """The names of the parameters with a row for each token, tied ones each."""
    weights = {id(module.weight) for module in embedding_modules(model)}
    named = model.named_parameters(remove_duplicate=False)
    return [name for name, parameter in named if id(parameter) in weights]


def is_causal(model: Any, row: Row) -> bool:
    """Whether the logits of a row's first half do not depend on its second half."""
    half = len(row) // 2
    followed, alone = logits_of(model, [row, row[:half]])
    followed, alone = followed[:, :half].float(), alone.float()  # (1, half, vocabulary)
    # Rounding depends on the length of a row; attention to later tokens changes logits far more.
    difference = (followed - alone).abs().mean()
    return bool(difference <= 0.05 * followed.std()) or not bool(torch.isfinite(difference))


def _equal_in(dtype: torch.dtype, left: torch.Tensor, right: torch.Tensor) -> bool:
    if not left.is_floating_point() or not right.is_floating_point():
        return torch.equal(left, right.to(left.device))
    return torch.equal(left.to(dtype), right.to(left.device, dtype))
