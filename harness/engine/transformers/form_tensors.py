"""The saved tensors of a model in, whether two are alike, and which smaller float holds one, out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import safe_open

from harness.engine.transformers.vocabulary import PREFIX

MOST = 48
"""Weights of a model that are compared."""

HALVES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class Saved:
    """The tensors in a folder's safetensors, read when they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.names: dict[str, Path] = {}
        for path in sorted(folder.glob("model*.safetensors")):
            with safe_open(path, framework="pt") as file:
                self.names |= dict.fromkeys(file.keys(), path)

    def get(self, name: str) -> torch.Tensor | None:
        """A tensor as it is saved; None if there is none of that name."""
        if name not in self.names:
            return None
        with safe_open(self.names[name], framework="pt") as file:
            tensor: torch.Tensor = file.get_tensor(name)
            return tensor


def plain_name(key: str) -> str:
    """The name in the base of a tensor that an adapter brings whole."""
    name = key.removeprefix(PREFIX)
    for part in (".modules_to_save", ".token_adapter", ".base_layer"):
        name = name.replace(part, "")
    return name


def spread(names: Sequence[str]) -> list[str]:
    """At most `MOST` of some names, evenly spaced."""
    step = max(1, -(-len(names) // MOST))
    return list(names[::step])


def shape(tensor: torch.Tensor | None) -> tuple[int, ...]:
    """The size of each dimension; empty for no tensor."""
    return () if tensor is None else tuple(tensor.shape)


def square(tensor: torch.Tensor) -> float:
    """The sum of the squares of all values."""
    return float(tensor.double().square().sum())


def common_rows(one: torch.Tensor | None, two: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Two tensors, cut to the rows that both have."""
    assert one is not None
    assert two is not None
    if one.dim() and two.dim() and one.shape[1:] == two.shape[1:]:
        rows = min(len(one), len(two))
        return one[:rows], two[:rows]
    return one, two


def held_in(tensor: torch.Tensor | None) -> str | None:
    """The smaller float that holds all values of a tensor, however it is stored; None if none does."""
    if tensor is None:
        return None
    whole = tensor.float()
    return next((name for name, dtype in HALVES.items() if torch.equal(whole.to(dtype).float(), whole)), None)


def equal(one: torch.Tensor | None, two: torch.Tensor | None) -> bool:
    """Whether two tensors have equal values, whatever floats they are stored in."""
    return one is not None and two is not None and torch.equal(one.float(), two.float())


def alike(one: torch.Tensor, two: torch.Tensor) -> bool:
    """Whether two tensors are equal up to the rounding of a smaller float that one of them was saved in."""
    if one.shape != two.shape:
        return False
    if not one.is_floating_point() or not two.is_floating_point() or equal(one, two):
        return torch.equal(one, two) or equal(one, two)
    held = held_in(one) or held_in(two)
    return held is not None and torch.equal(one.to(HALVES[held]), two.to(HALVES[held]))
