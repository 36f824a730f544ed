"""Parts of a model in, groups of them that are halved again and again out: by layers, or by kinds of module."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from harness.training.edits.parts import OUTSIDE, Part
from harness.wording import some

Axis = Literal["layers", "modules"]
"""How groups are halved: by layers, and a single layer by its modules; or by kinds of module, each in all layers."""


@dataclass(frozen=True)
class Group:
    """Parts that are switched together, in the model's order."""

    parts: tuple[Part, ...]
    axis: Axis

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers that it has parts in, ascending."""
        return tuple(sorted({part.layer for part in self.parts} - {OUTSIDE}))

    @property
    def modules(self) -> tuple[str, ...]:
        """Its kinds of module, in the model's order."""
        return tuple(dict.fromkeys(part.module for part in self.parts))

    def halves(self) -> tuple[Group, ...]:
        """Two groups that make up this one, or none for one that cannot be halved."""
        layers, modules = self.layers, self.modules
        inside = [part for part in self.parts if part.layer != OUTSIDE]
        if self.axis == "layers" and 0 < len(inside) < len(self.parts):
            first = inside
        elif self.axis == "layers" and len(layers) > 1:
            first = [part for part in self.parts if part.layer in layers[: (len(layers) + 1) // 2]]
        elif len(modules) > 1:
            first = [part for part in self.parts if part.module in modules[: (len(modules) + 1) // 2]]
        else:
            return ()
        second = [part for part in self.parts if part not in first]
        return Group(tuple(first), self.axis), Group(tuple(second), self.axis)


def named(group: Group, whole: Group) -> str:
    """A group's name in reports: "layers 0-14", "layer 3 (q_proj)", "q_proj", "embed_tokens".

    Args:
        whole: the group of all parts.
    """
    if group == whole:
        return "everything"
    last = Counter(_last(module) for module in whole.modules)
    short = [_last(module) if last[_last(module)] == 1 else module for module in group.modules]
    kinds = some(short, 4)
    if group.axis == "modules" or not group.layers:
        return kinds
    first, final = group.layers[0], group.layers[-1]
    where = f"layer {first}" if first == final else f"layers {first}-{final}"
    here = {part.module for part in whole.parts if part.layer in set(group.layers)}
    return where if here == set(group.modules) else f"{where} ({kinds})"


def _last(module: str) -> str:
    return module.rpartition(".")[2]
