"""The keys and values that passes keep: of the tokens above those that are read next, and of answers that are being written.

Shapes: `rows` counts the answers that are being written, `features` those of a head; `room` is the length of a buffer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

ROOM = 32
"""Room for keys grows by so many tokens, or by half of what there is."""


@dataclass
class Pairs:
    """Keys and values of one layer, each (..., room, features)."""

    keys: torch.Tensor
    values: torch.Tensor

    def fit(self, room: int) -> None:
        """Make room for so many tokens, and for some of those to come."""
        if (there := self.keys.shape[-2]) < room:
            room += max(ROOM, there // 2)
            self.keys, self.values = (_longer(part, room) for part in (self.keys, self.values))


def _longer(part: torch.Tensor, room: int) -> torch.Tensor:
    longer = part.new_zeros((*part.shape[:-2], room, part.shape[-1]))
    longer[..., : part.shape[-2], :] = part
    return longer


@dataclass
class Beginning:
    """What the rows of a group begin with: `length` tokens, and for each layer their keys and values.

    Both are (key heads, length, features).
    """

    length: int
    keys: list[torch.Tensor] = field(default_factory=list)
    values: list[torch.Tensor] = field(default_factory=list)


class Trail:
    """The keys and values of the tokens above those that are read next, (key heads, room, features) in each layer."""

    def __init__(self) -> None:
        self.layers: list[Pairs] = []


class Rows:
    """Answers that are being written: their own tokens in each layer, (rows, key heads, room, features).

    Room for all is made at once: memory runs out at the start, if it does, and goes back to the system in one piece.

    Args:
        rows: how many.
        most: the tokens that a row comes to have at most.
        depth: how many layers the model has.

    Attributes:
        lengths: of each row, how many tokens of its own it has.
        beginnings: what the row begins with before these.
    """

    def __init__(self, rows: int, most: int, depth: int) -> None:
        self.count = rows
        self.most = most
        self.depth = depth
        self.layers: list[Pairs] = []
        self.rooms: dict[tuple[str, int, int], Iterator[torch.Tensor]] = {}
        self.lengths = [0] * rows
        self.beginnings: list[Beginning] = [Beginning(0)] * rows

    def layer(self, number: int, keys: torch.Tensor, values: torch.Tensor) -> Pairs:
        """The keys and values of a layer, whose heads and features are those of these, (key heads, any, features)."""
        if number == len(self.layers):
            self.layers.append(Pairs(self._room("keys", keys), self._room("values", values)))
        return self.layers[number]

    def _room(self, part: str, like: torch.Tensor) -> torch.Tensor:
        heads, _, features = like.shape
        kind = (part, heads, features)
        if (room := next(self.rooms.get(kind, iter(())), None)) is None:
            # What nobody wrote must be finite: masked, it is multiplied by zero.
            more = iter(like.new_zeros((self.depth, self.count, heads, self.most, features)))
            self.rooms[kind], room = more, next(more)
        return room

    def clear(self, row: int) -> None:
        """Forget the tokens of a row, and hold what it began with no longer."""
        self.lengths[row] = 0
        self.beginnings[row] = Beginning(0)

    def move(self, source: int, target: int) -> None:
        """Give a row another place."""
        length = self.lengths[target] = self.lengths[source]
        self.beginnings[target] = self.beginnings[source]
        for layer in self.layers:
            layer.keys[target, :, :length] = layer.keys[source, :, :length]
            layer.values[target, :, :length] = layer.values[source, :, :length]
