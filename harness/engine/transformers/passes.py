"""Tokens of a tree and of growing rows through a model: the two passes.

Shapes: `rows` counts the answers that are being written, `features` those of a head; `room` is the length of a buffer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from harness.engine.transformers.attention import Visibility, Weighing, attended, softmax
from harness.engine.transformers.rows import Beginning, Pairs, Rows, Trail
from harness.engine.tree import Bundle


@dataclass(frozen=True)
class Copy:
    """What a bundle of a reading pass leaves to a row: places in the path and the bundle after it.

    Args:
        row: takes the tokens at `places` as its own; None where a beginning takes them.
    """

    places: torch.Tensor
    row: int | None = None
    beginning: Beginning | None = None


class ReadingPass:
    """A pass over nodes of a tree, bundle by bundle.

    Args:
        copies: for each bundle, what it leaves to rows.
    """

    def __init__(
        self,
        trail: Trail,
        bundles: Sequence[Bundle],
        copies: Sequence[Sequence[Copy]],
        rows: Rows | None,
        device: Any,
    ) -> None:
        self.trail = trail
        self.bundles = bundles
        self.copies = copies
        self.rows = rows
        self.called = 0
        self.kept = [torch.tensor(bundle.kept, dtype=torch.long, device=device) for bundle in bundles]

    def attend(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        visibility: Visibility,
        weighing: Weighing,
    ) -> torch.Tensor:
        number, self.called = self.called, self.called + 1
        if number == len(self.trail.layers):
            self.trail.layers.append(Pairs(key[0, :, :0], value[0, :, :0]))
        layer = self.trail.layers[number]
        layer.fit(max(bundle.past + bundle.size for bundle in self.bundles))
        folds = query.shape[1] // key.shape[1]
        found = query.new_empty((1, query.shape[2], query.shape[1], value.shape[-1]))
        start = 0
        for index, bundle in enumerate(self.bundles):
            span, seen = slice(start, start + bundle.size), bundle.past + bundle.size
            layer.keys[:, bundle.past : seen] = key[0, :, span]
            layer.values[:, bundle.past : seen] = value[0, :, span]
            keys, values = layer.keys[:, :seen], layer.values[:, :seen]
            mask = self._mask(index, visibility, folds, query)
            found[0, span] = attended(query[0, :, span], keys, values, mask, weighing).transpose(0, 1)
            for copy in self.copies[index]:
                self._leave(copy, number, keys, values)
            if bundle.kept:
                places = slice(bundle.fork, bundle.fork + len(bundle.kept))
                layer.keys[:, places] = key[0, :, span].index_select(1, self.kept[index])
                layer.values[:, places] = value[0, :, span].index_select(1, self.kept[index])
            start += bundle.size
        return found

    def _mask(self, index: int, visibility: Visibility, folds: int, query: torch.Tensor) -> torch.Tensor:
        """(folds * size, seen), added to the logits of a bundle."""

        def make() -> torch.Tensor:
            bundle = self.bundles[index]
            depths = torch.from_numpy(bundle.all_depths()).to(query.device)
            own = torch.from_numpy(bundle.depths).to(query.device)
            seen = torch.from_numpy(bundle.visible()).to(query.device)
            seen = seen & visibility.allows(own[:, None], depths[None])
            return added(seen, query.dtype).repeat(folds, 1)

        return visibility.mask((index, folds), make)

    def _leave(self, copy: Copy, number: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        taken = keys.index_select(1, copy.places), values.index_select(1, copy.places)
        if copy.beginning is not None:
            copy.beginning.keys.append(taken[0])
            copy.beginning.values.append(taken[1])
            return
        assert self.rows is not None, "only a pass with rows leaves them tokens"
        layer = self.rows.layer(number, keys, values)
        layer.keys[copy.row, :, : len(copy.places)] = taken[0]
        layer.values[copy.row, :, : len(copy.places)] = taken[1]


class WritingPass:
    """A pass over the newest token of each of the first rows.

    Args:
        rows: the answers; only the first `count` are written.
        room: tokens of its own that each row has in the pass, at least one more than the longest has now.
    """

    def __init__(self, rows: Rows, count: int, room: int, device: Any) -> None:
        self.rows = rows
        self.called = 0
        self.count = count
        lengths = rows.lengths[:count]
        self.room = room
        self.lengths = torch.tensor(lengths, device=device)
        self.numbers = torch.arange(count, device=device)
        begun = [beginning.length for beginning in rows.beginnings[:count]]
        self.positions = [before + own for before, own in zip(begun, lengths, strict=True)]
        """Where the newest token of each row is."""
        self.begun = torch.tensor(begun, device=device)
        self.most_begun = max(begun)
        self.groups: list[tuple[Beginning, torch.Tensor | None]] = []
        members: dict[int, list[int]] = {}
        for number, beginning in enumerate(rows.beginnings[:count]):
            members.setdefault(id(beginning), []).append(number)
        for numbers in members.values():
            beginning = rows.beginnings[numbers[0]]
            if beginning.length:
                every = len(numbers) == count
                self.groups.append((beginning, None if every else torch.tensor(numbers, device=device)))

    def attend(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        visibility: Visibility,
        weighing: Weighing,
    ) -> torch.Tensor:
        number, self.called = self.called, self.called + 1
        layer = self.rows.layers[number]
        layer.keys[self.numbers, :, self.lengths] = key[0].transpose(0, 1)
        layer.values[self.numbers, :, self.lengths] = value[0].transpose(0, 1)
        heads = key.shape[1]
        # (rows, key heads, heads a key head, features)
        asked = query[0].transpose(0, 1).reshape(self.count, heads, -1, query.shape[-1])
        keys = layer.keys[: self.count, :, : self.room]
        values = layer.values[: self.count, :, : self.room]
        logits = [*self._before(asked, number), asked @ keys.transpose(2, 3)]
        sinks = None
        if weighing.sinks is not None:
            sinks = weighing.sinks.reshape(1, heads, -1, 1).expand(self.count, -1, -1, -1)
        mask = visibility.mask("writing", lambda: self._mask(visibility, query))
        weights = softmax(torch.cat(logits, dim=-1), mask, weighing, sinks).to(values.dtype)
        found = weights[..., self.most_begun :] @ values
        for beginning, members in self.groups:
            own = (
                weights[..., : beginning.length]
                if members is None
                else weights[members, ..., : beginning.length]
            )
            part = _by_head(own, beginning.values[number])
            found = found + part if members is None else found.index_add(0, members, part)
        return found.reshape(1, self.count, query.shape[1], -1)

    def _before(self, asked: torch.Tensor, number: int) -> list[torch.Tensor]:
        """The logits of what rows begin with, (rows, key heads, heads a key head, longest beginning)."""
        if not self.groups:
            return []
        beginning, members = self.groups[0]
        if members is None:
            return [_by_head(asked, beginning.keys[number].transpose(1, 2))]
        logits = asked.new_zeros((*asked.shape[:-1], self.most_begun))
        for beginning, members in self.groups:
            assert members is not None, "several groups, or rows without one"
            logits[members, ..., : beginning.length] = _by_head(
                asked[members], beginning.keys[number].transpose(1, 2)
            )
        return [logits]

    def _mask(self, visibility: Visibility, query: torch.Tensor) -> torch.Tensor:
        """(rows, 1, 1, longest beginning + room), added to the logits."""
        before = torch.arange(self.most_begun, device=query.device).expand(self.count, -1)
        places = torch.arange(self.room, device=query.device)
        own = self.begun[:, None] + places
        there = torch.cat([before < self.begun[:, None], places <= self.lengths[:, None]], dim=1)
        seen = there & visibility.allows(
            (self.begun + self.lengths)[:, None], torch.cat([before, own], dim=1)
        )
        return added(seen, torch.float32)[:, None, None]


def _by_head(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """(rows, key heads, heads a key head, n) and (key heads, n, m) -> (rows, key heads, heads a key head, m)."""
    rows, heads, folds, inner = left.shape
    product = left.transpose(0, 1).reshape(heads, rows * folds, inner) @ right
    return product.reshape(heads, rows, folds, -1).transpose(0, 1)


def added(seen: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """0 where a token is seen, minus infinity where it is not."""
    return torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill(~seen, -torch.inf)
