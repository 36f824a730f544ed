"""A model in memory in, everything that its answers depend on besides the request out, if that can be told."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

import torch
from torch import nn

from harness.digest import digest
from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.fingerprint import fingerprint

PLACES = (
    "name_or_path", "vocab_file", "merges_file", "tokenizer_file", "is_local", "local_files_only", "padding_side",
)  # fmt: skip
"""Of a tokenizer's arguments, those that do not decide how text is read."""

KNOWN = ("torch", "transformers", "peft", "accelerate")
"""Packages whose code is told by their versions; what other code computes with the same weights, nothing tells."""


def memory_content(engine: TorchEngine, weights: str, *, adapter: bool = True) -> dict[str, Any] | None:
    """What the answers of a model in memory depend on, but for its device, dtype and the versions of packages.

    Args:
        weights: the fingerprint of all parameters that act.
        adapter: whether the adapters of a PEFT model act, or only its base.

    Returns:
        None if code of other packages takes part in its forward pass.
    """
    model, tokenizer = engine.model, engine.tokenizer
    fast = getattr(tokenizer, "backend_tokenizer", None)
    if fast is None or not all(map(_is_known, _code(model))):
        return None
    config = model.config.to_dict() | {
        "_name_or_path": "",
        "attention": getattr(model.config, "_attn_implementation", None),
    }
    return {
        "weights": weights,
        "buffers": fingerprint(model.named_buffers()),
        "config": digest(_plain(config)),
        "adapters": digest(_adapters(model)) if adapter else None,
        "ends": list(engine.prompting.end_tokens),
        "matmul": torch.get_float32_matmul_precision(),
        "text": _text(tokenizer, json.loads(fast.to_str())),
    }


def _text(tokenizer: Any, fast: dict[str, Any]) -> str:
    """The digest of what decides how text is read; not of how rows are padded, which every call sets, nor of where files are."""
    kept = {key: part for key, part in fast.items() if key not in ("padding", "truncation")}
    given = {key: value for key, value in tokenizer.init_kwargs.items() if key not in PLACES}
    return digest(kept, tokenizer.chat_template, _plain(tokenizer.special_tokens_map), _plain(given))


def _adapters(model: nn.Module) -> dict[str, Any]:
    configs = getattr(model, "peft_config", None) or {}
    return {str(name): _plain(config.to_dict()) for name, config in configs.items()}


def _code(model: nn.Module) -> Iterable[Any]:
    """All classes and functions that take part in a forward pass, and those that it finds by name, which others may replace."""
    of_classes = {type(module).__module__ for module in model.modules()}
    for name in (
        "torch.nn.functional",
        *(name for name in of_classes if name.startswith("transformers.models.")),
    ):
        yield from (
            value for value in vars(sys.modules[name]).values() if isinstance(value, type | FunctionType)
        )
    for module in model.modules():
        yield type(module)
        yield type(module).forward
        yield from filter(None, [vars(module).get("forward")])
        yield from (*module._forward_hooks.values(), *module._forward_pre_hooks.values())


def _is_known(code: type | Callable[..., Any]) -> bool:
    module = getattr(code, "__module__", None) or type(code).__module__
    root = module.partition(".")[0]
    return root in KNOWN or root in sys.stdlib_module_names


def _plain(value: Any) -> Any:
    """A value as JSON data; what is none of that by its text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    return value if isinstance(value, str | int | float | bool | None) else str(value)
