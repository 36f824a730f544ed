"""How much of a tuned model's changes is left: by groups of layers, and after pruning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from harness.training.edits.parts import OUTSIDE, parts_of

Pruning = Literal["magnitude", "forgetting-aware"]
"""Which changes stay: the largest (TIES), or those of the highest score of FAPM; see `formulas`."""

Form = Literal["adapter", "full"]
"""What an edited model is written as."""

EMBEDDINGS = "embeddings"
"""The group of what embeds tokens and scores them: `embed_tokens`, `lm_head` and their like."""

MOST_GROUPS = 3
"""Groups of layers."""


@dataclass(frozen=True)
class Edit:
    """A change of what tuning changed.

    Attributes:
        strengths: by group, in the model's order: 1 leaves its changes as they are, 0 takes them back.
        pruning: which changes of each tensor stay; None for all.
        keep: the share of each tensor's values whose changes stay, in (0, 1]; 1 without pruning.
    """

    strengths: tuple[tuple[str, float], ...]
    pruning: Pruning | None = None
    keep: float = 1.0

    @property
    def by_group(self) -> dict[str, float]:
        return dict(self.strengths)

    @property
    def is_none(self) -> bool:
        """Whether it leaves the tuned model as it is."""
        return self.pruning is None and all(strength == 1 for _, strength in self.strengths)

    @property
    def data(self) -> dict[str, Any]:
        """As JSON data."""
        return {"strengths": self.by_group, "pruning": self.pruning, "keep": self.keep}

    @property
    def complexity(self) -> int:
        """0 for the model as it is, then 1 for one strength, 2 without embeddings, 3 by group, 4 pruned."""
        if self.pruning is not None:
            return 4
        layers = {strength for group, strength in self.strengths if group != EMBEDDINGS}
        if len(layers) > 1:
            return 3
        strengths = set(self.by_group.values())
        return 2 if len(strengths) > 1 else int(strengths != {1.0})

    def __str__(self) -> str:
        """ "strength 0.3"; "strength 0.5, embeddings at 0"; "forgetting-aware 10 %, strength 0.5"."""
        found = Counter(strength for _, strength in self.strengths)
        usual = max(found, key=lambda strength: (found[strength], strength))
        pruned = f"{self.pruning} {100 * self.keep:g} %" if self.pruning else ""
        strength = f"strength {usual:g}" if usual != 1 or not pruned else ""
        others = [f"{group} at {strength:g}" for group, strength in self.strengths if strength != usual]
        return ", ".join(filter(None, [pruned, strength, *others]))


def evenly(groups: Sequence[str], strength: float, **changed: Any) -> Edit:
    """The same strength for each group."""
    return Edit(tuple((group, strength) for group in groups), **changed)


def but(edit: Edit, **strengths: float) -> Edit:
    """The edit with other strengths of some groups; raises KeyError for a group that is not there."""
    if unknown := strengths.keys() - edit.by_group.keys():
        raise KeyError(*unknown)
    return replace(edit, strengths=tuple((edit.by_group | strengths).items()))


def groups_of(dimensions: Mapping[str, int]) -> dict[str, str]:
    """The group of each tensor that tuning changed, in the order of the groups.

    At most MOST_GROUPS of successive layers ("layers 0-9"), and EMBEDDINGS for matrices outside of the layers; a vector there,
    as of the last norm, goes with the last layers.

    Args:
        dimensions: by the name of each tensor, how many dimensions it has.
    """
    parts = parts_of(dimensions)
    layers = sorted({part.layer for part in parts.values()} - {OUTSIDE})
    number = min(MOST_GROUPS, len(layers))
    bounds = [layers[len(layers) * i // number : len(layers) * (i + 1) // number] for i in range(number)]
    names = [f"layer {some[0]}" if len(some) == 1 else f"layers {some[0]}-{some[-1]}" for some in bounds]
    group = {layer: name for name, some in zip(names, bounds, strict=True) for layer in some}
    last = names[-1] if names else EMBEDDINGS
    found = {
        name: (EMBEDDINGS if dimensions[name] > 1 else last) if part.layer == OUTSIDE else group[part.layer]
        for name, part in parts.items()
    }
    order = [EMBEDDINGS, *names]
    return dict(sorted(found.items(), key=lambda item: order.index(item[1])))
