"""An attention for transformers models whose tokens do not stand in one line: a Pass says which token attends to which.

transformers asks a registered function for the mask of each kind of attention (full, sliding, chunked), and another for the
attention itself. Both go to the Pass of the present context; the model computes everything else as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface

NAME = "forgetting_gate"

MaskFunction = Callable[[Any, Any, torch.Tensor, torch.Tensor], torch.Tensor]
"""A batch, a head, the positions of tokens and of those that they attend to -> whether they may."""


@dataclass(frozen=True)
class Weighing:
    """How a layer weighs what it attends to.

    `sinks` are logits, (heads,), that take a part of the weight; `softcap` bounds logits.
    """

    scaling: float
    softcap: float | None = None
    sinks: torch.Tensor | None = None

    @property
    def plain(self) -> bool:
        """Whether torch's own attention does the same."""
        return self.softcap is None and self.sinks is None


class Visibility:
    """What one kind of attention lets tokens see, by their positions; masks are made once for all layers of the kind.

    Args:
        function: transformers' own mask for positions in a row.
    """

    def __init__(self, function: MaskFunction) -> None:
        self.function = function
        self.masks: dict[Any, torch.Tensor] = {}

    def allows(self, positions: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        """Whether tokens at `positions` see those at `others`, which are before them or the same; shapes broadcast."""
        first = torch.zeros((), dtype=torch.long, device=positions.device)
        return self.function(first, first, positions, others)

    def mask(self, key: Any, make: Callable[[], torch.Tensor]) -> torch.Tensor:
        """The mask under a key, made when it is asked for first."""
        if key not in self.masks:
            self.masks[key] = make()
        return self.masks[key]


class Pass(Protocol):
    """One forward pass over a row of tokens, (1, width)."""

    def attend(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        visibility: Visibility,
        weighing: Weighing,
    ) -> torch.Tensor:
        """What the tokens attend to, (1, width, heads, features); called by one layer after another.

        Args:
            query: (1, heads, width, features).
            key, value: (1, key heads, width, features), of the same tokens.
        """
        ...


_present: ContextVar[Pass] = ContextVar("pass")


def configs_of(model: Any) -> list[Any]:
    """The configs by which the layers of a model choose their attention: one, unless layers were copied."""
    configs = [module.config for module in model.modules() if hasattr(module, "config")]
    configs = [config for config in configs if hasattr(config, "_attn_implementation")]
    return list({id(config): config for config in configs}.values())


@contextmanager
def attending(configs: Sequence[Any], present: Pass) -> Iterator[None]:
    """Inside the block, layers with one of the configs attend as a Pass says; their own attention is restored."""
    own = [config._attn_implementation for config in configs]
    token = _present.set(present)
    for config in configs:
        config._attn_implementation = NAME
    try:
        yield
    finally:
        for config, name in zip(configs, own, strict=True):
            config._attn_implementation = name
        _present.reset(token)


def _mask(*, mask_function: MaskFunction, use_vmap: bool = False, **unused: Any) -> Visibility:
    if use_vmap:
        raise ValueError("a mask that is more than a function of positions")
    return Visibility(mask_function)


def _attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Any,
    scaling: float | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    position_bias: torch.Tensor | None = None,
    **unused: Any,
) -> tuple[torch.Tensor, None]:
    if not isinstance(attention_mask, Visibility) or position_bias is not None:
        raise TypeError("an attention that does not tell by positions what it sees")
    weighing = Weighing(query.shape[-1] ** -0.5 if scaling is None else scaling, softcap, s_aux)
    return _present.get().attend(query, key, value, attention_mask, weighing), None


AttentionInterface.register(NAME, _attention)
AttentionMaskInterface.register(NAME, _mask)


def attended(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor, weighing: Weighing
) -> torch.Tensor:
    """The attention of some tokens, (heads, tokens, features).

    Heads that share keys are folded into the tokens, so that no key is copied.

    Args:
        query: (heads, tokens, features).
        keys, values: (key heads, seen, features).
        mask: (heads a key head * tokens, seen), added to the logits.
    """
    heads, tokens, features = query.shape
    folded = query.reshape(len(keys), -1, features)  # (key heads, heads a key head * tokens, features)
    if weighing.plain:
        found = scaled_dot_product_attention(
            folded[None], keys[None], values[None], attn_mask=mask, scale=weighing.scaling
        )[0]
    else:
        sinks = None
        if weighing.sinks is not None:
            sinks = weighing.sinks.reshape(len(keys), -1, 1).repeat_interleave(tokens, dim=1)
        weights = softmax(folded @ keys.transpose(1, 2), mask, weighing, sinks)
        found = weights.to(values.dtype) @ values
    return found.reshape(heads, tokens, -1)


def softmax(
    logits: torch.Tensor, mask: torch.Tensor, weighing: Weighing, sinks: torch.Tensor | None
) -> torch.Tensor:
    """Weights in float32 from the products of queries and keys, (..., seen); `sinks`, (..., 1), take their part."""
    scaled = logits.float() * weighing.scaling
    if weighing.softcap is not None:
        scaled = weighing.softcap * torch.tanh(scaled / weighing.softcap)
    scaled = scaled + mask
    if sinks is None:
        return torch.softmax(scaled, dim=-1)
    return torch.softmax(torch.cat([scaled, sinks.float()], dim=-1), dim=-1)[..., :-1]
