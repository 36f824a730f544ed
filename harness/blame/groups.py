"""Parts of a model in, groups of them that are halved again and again out: by layers, or by kinds of module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
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

    @property
    def outside(self) -> bool:
        """Whether all of it lies outside the layers."""
        return not self.layers

    def halves(self) -> tuple[Group, ...]:
        """Two groups that make up this one, or none for one that cannot be halved."""
        outside = [part for part in self.parts if part.layer == OUTSIDE]
        if self.axis == "layers" and 0 < len(outside) < len(self.parts):
            return self._divided([part for part in self.parts if part.layer != OUTSIDE], outside)
        if self.axis == "layers" and len(self.layers) > 1:
            first = set(self.layers[: (len(self.layers) + 1) // 2])
            return self._divided(*_split(self.parts, lambda part: part.layer in first))
        if len(self.modules) > 1:
            early = set(self.modules[: (len(self.modules) + 1) // 2])
            return self._divided(*_split(self.parts, lambda part: part.module in early))
        return ()

    def _divided(self, first: Iterable[Part], second: Iterable[Part]) -> tuple[Group, Group]:
        return Group(tuple(first), self.axis), Group(tuple(second), self.axis)


def _split(parts: Sequence[Part], first: Callable[[Part], bool]) -> tuple[list[Part], list[Part]]:
    return [part for part in parts if first(part)], [part for part in parts if not first(part)]


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
    if group.axis == "modules" or group.outside:
        return kinds
    first, final = group.layers[0], group.layers[-1]
    where = f"layer {first}" if first == final else f"layers {first}-{final}"
    here = {part.module for part in whole.parts if part.layer in set(group.layers)}
    return where if here == set(group.modules) else f"{where} ({kinds})"


def _last(module: str) -> str:
    return module.rpartition(".")[2]
