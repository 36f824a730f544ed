"""Rows of tokens in, a tree of what they have in common out, in the order in which a model reads it: each token once.

A node is a token after all tokens before it in its row; rows with the same beginning share its nodes. Nodes are numbered depth
first, so that whatever precedes a node in its rows is on the path to the node read before it, or above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from harness.engine.beginnings import common_length


@dataclass(frozen=True)
class TokenTree:
    """All nodes, by number.

    Attributes:
        tokens: the token of each node.
        depths: how many tokens are before it.
        parents: the node before it; -1 without one.
        order: the rows in the order in which their last nodes come.
        nodes: of each row, the nodes of its tokens from the position that was asked for.
    """

    tokens: list[int]
    depths: list[int]
    parents: list[int]
    order: list[int]
    nodes: list[list[int]]

    def __len__(self) -> int:
        return len(self.tokens)


def grow(rows: Sequence[Sequence[int]], begins: Sequence[int]) -> TokenTree:
    """The tree of some rows, at least one token each.

    Args:
        begins: for each row, the position of the first token whose node is asked for.
    """
    tree = TokenTree(
        [], [], [], sorted(range(len(rows)), key=lambda index: list(rows[index])), [[] for _ in rows]
    )
    path: list[int] = []  # the nodes of the present row
    before: list[int] = []
    for index in tree.order:
        row = list(rows[index])
        del path[common_length(before, row) :]
        for depth in range(len(path), len(row)):
            tree.parents.append(path[-1] if path else -1)
            path.append(len(tree.tokens))
            tree.tokens.append(row[depth])
            tree.depths.append(depth)
        tree.nodes[index] = path[begins[index] :]
        before = row
    return tree


# Attention


@dataclass(frozen=True)
class Bundle:
    """Consecutive nodes that attend together: to the path above the first, and to each other.

    Attributes:
        first: the number of the first node; `past` nodes are above it.
        depths: (size,); how many nodes are above each.
        above: (size,); how many nodes of the path each has above it, besides those of the bundle.
        inside: (size, size), bool; whether a node has another above it, or is it.
        kept: the nodes of the bundle, counted from its first, that are above the node after the bundle, in order of depth.
        fork: how deep the first of them is.
    """

    first: int
    past: int
    depths: np.ndarray
    above: np.ndarray
    inside: np.ndarray
    kept: list[int]
    fork: int

    @property
    def size(self) -> int:
        return len(self.depths)

    def lineage(self, node: int) -> list[int]:
        """The nodes above a node of the bundle and itself, as places in the path and the bundle after it."""
        at = node - self.first
        return [*range(self.above[at]), *(self.past + np.flatnonzero(self.inside[at]))]

    def visible(self) -> np.ndarray:
        """(size, past + size), bool: what each node has above it in the path and the bundle, or is."""
        return np.concatenate([np.arange(self.past) < self.above[:, None], self.inside], axis=1)

    def all_depths(self) -> np.ndarray:
        """(past + size,): the depths of the path and of the bundle."""
        return np.concatenate([np.arange(self.past), self.depths])


def bundle(tree: TokenTree, first: int, end: int) -> Bundle:
    """The nodes from `first` to `end`, which is not among them."""
    size = end - first
    depths, parents = tree.depths, tree.parents
    above = np.zeros(size, dtype=np.int64)
    inside = np.zeros((size, size), dtype=bool)
    for place in range(size):
        parent = parents[first + place] - first
        if parent >= 0:
            inside[place] = inside[parent]
            above[place] = above[parent]
        else:
            above[place] = depths[first + place]
        inside[place, place] = True
    kept: list[int] = []
    node = parents[end] if end < len(tree) else -1
    while node >= first:
        kept.append(node - first)
        node = parents[node]
    kept.reverse()
    fork = depths[first + kept[0]] if kept else 0
    return Bundle(first, depths[first], np.array(depths[first:end]), above, inside, kept, fork)


def bundles(tree: TokenTree, first: int, end: int, most: int) -> list[Bundle]:
    """Divide the nodes from `first` to `end` into bundles of at most `most`.

    Where a bundle is half full, it ends before the next node that does not depend on its first: nodes that share little
    attend to each other in vain.
    """
    cuts = [first]
    for node in range(first + 1, end):
        size = node - cuts[-1]
        if size >= most or (2 * size >= most and tree.depths[node] <= tree.depths[cuts[-1]]):
            cuts.append(node)
    return [bundle(tree, start, stop) for start, stop in pairwise([*cuts, end])]


# Groups


def shared_beginnings(rows: Sequence[Sequence[int]], worth: int) -> list[tuple[int, int]]:
    """A group of each row, and how many tokens all rows of the group begin with.

    Rows leave a group for one with a longer beginning if that spares them together at least `worth` tokens.
    """
    order = sorted(range(len(rows)), key=lambda index: list(rows[index]))
    alike = [common_length(rows[left], rows[right]) for left, right in pairwise(order)]
    groups = [(0, 0)] * len(rows)
    # Wider spans come first: of two that share a row, the later one lies inside the earlier.
    spans = sorted(_intervals(alike), key=lambda span: (span[1], -span[2]))
    for number, (length, first, last) in enumerate(spans, start=1):
        _, known = groups[order[first]]
        if (length - known) * (last - first) >= worth:
            for index in order[first : last + 1]:
                groups[index] = (number, length)
    return groups


def _intervals(alike: Sequence[int]) -> list[tuple[int, int, int]]:
    """Maximal runs of sorted rows by what they begin with: its length, the first row and the last.

    `alike` tells of each row but the last what it shares with the next. (Abouelhoda, Kurtz and Ohlebusch 2004, algorithm 4.1.)
    """
    spans: list[tuple[int, int, int]] = []
    open_spans = [(0, 0)]  # (length, first row), lengths ascending
    for place, length in enumerate([*alike, -1]):
        first = place
        while open_spans and length < open_spans[-1][0]:
            known, first = open_spans.pop()
            spans.append((known, first, place))
        if not open_spans or length > open_spans[-1][0]:
            open_spans.append((length, first))
    return spans
