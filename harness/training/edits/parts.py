"""Names of modules in, the parts of a model that they belong to out: a layer and a kind of module."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

OUTSIDE = -1
"""In place of a layer, for what lies before and after the layers: embeddings, the last norm, the head."""

_NUMBERED = re.compile(r"^(?P<layers>.*?)\.(?P<layer>\d+)\.(?P<rest>.+)$")

WRAPPERS = {
    "base_model", "model", "base_layer", "original_module", "modules_to_save", "token_adapter", "weight", "bias",
}  # fmt: skip
"""Steps of a name that say nothing of the kind of module."""


@dataclass(frozen=True, order=True)
class Part:
    """What can be changed by itself: a kind of module ("self_attn.q_proj") in a layer, counted from 0; see `OUTSIDE`."""

    layer: int
    module: str

    def __str__(self) -> str:
        return self.module if self.layer == OUTSIDE else f"layer {self.layer} {self.module}"


def parts_of(names: Iterable[str]) -> Mapping[str, Part]:
    """The part of each module or parameter of a model, by its full name.

    Layers are the numbers that most names have in common ("model.layers.3."); a number elsewhere, as of an expert, counts as
    any number ("experts.*").
    """
    names = list(names)
    found = {name: match for name in names if (match := _NUMBERED.match(name))}
    counted = Counter(match["layers"] for match in found.values())
    layers = max(counted, key=counted.__getitem__) if counted else None
    return {
        name: Part(int(match["layer"]), _kind(match["rest"]))
        if (match := found.get(name)) and match["layers"] == layers
        else Part(OUTSIDE, _kind(name))
        for name in names
    }


def _kind(name: str) -> str:
    steps = ["*" if step.isdigit() else step for step in name.split(".")]
    return ".".join(step for step in steps if step not in WRAPPERS) or name
