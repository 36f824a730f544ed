"""Rows as a tree of tokens: each token once, every node sees what is above it, and groups share what they begin with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.engine.beginnings import common_length
from harness.engine.tree import bundles, grow, shared_beginnings

ROWS = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=9), min_size=1, max_size=12)


def whole(tree, node):
    """The tokens of a node's row up to the node."""
    tokens = []
    while node >= 0:
        tokens.append(tree.tokens[node])
        node = tree.parents[node]
    return tokens[::-1]


@given(ROWS)
def test_each_token_is_in_the_tree_once(rows):
    tree = grow(rows, [0] * len(rows))
    assert len(tree) == len({tuple(row[:end]) for row in rows for end in range(1, len(row) + 1)})
    for row, nodes in zip(rows, tree.nodes, strict=True):
        assert [tree.tokens[node] for node in nodes] == row
        assert whole(tree, nodes[-1]) == row
        assert [tree.depths[node] for node in nodes] == list(range(len(row)))


@given(ROWS)
def test_nodes_are_asked_for_from_a_position(rows):
    tree = grow(rows, [len(row) - 1 for row in rows])
    assert [whole(tree, *nodes) for nodes in tree.nodes] == rows


@given(ROWS, st.integers(1, 8), st.integers(1, 6))
def test_a_node_sees_what_is_above_it_and_itself(rows, width, most):
    """Nodes pass through a path of keys as a model's would, slice by slice and bundle by bundle."""
    tree = grow(rows, [0] * len(rows))
    path: list[int] = []
    read = 0
    for first in range(0, len(tree), width):
        for part in bundles(tree, first, min(first + width, len(tree)), most):
            assert part.size <= most
            assert part.first == read
            own = list(range(part.first, part.first + part.size))
            keys = path[: part.past] + own
            for node, seen in zip(own, part.visible(), strict=True):
                above = [key for key, there in zip(keys, seen, strict=True) if there]
                assert [tree.tokens[key] for key in above] == whole(tree, node)
                assert [keys[place] for place in part.lineage(node)] == above
            assert list(part.all_depths()) == [tree.depths[key] for key in keys]
            path = keys
            path[part.fork : part.fork + len(part.kept)] = [own[place] for place in part.kept]
            read += part.size
    assert read == len(tree)


def test_a_bundle_ends_where_little_is_shared():
    tree = grow([[1, 2, 3], [1, 2, 4], [5, 6, 7], [5, 6, 8]], [0] * 4)
    assert [part.size for part in bundles(tree, 0, 8, 8)] == [4, 4]
    assert [part.size for part in bundles(tree, 0, 8, 100)] == [8]
    assert [part.size for part in bundles(tree, 0, 8, 3)] == [3, 2, 3]


@given(ROWS, st.integers(1, 12))
def test_a_group_begins_alike_and_is_worth_it(rows, worth):
    groups = shared_beginnings(rows, worth)
    assert len(groups) == len(rows)
    lengths = dict(groups)
    assert len(lengths) == len(set(groups))
    for number, length in lengths.items():
        members = [row for row, (group, _) in zip(rows, groups, strict=True) if group == number]
        assert len({tuple(row[:length]) for row in members}) == 1


@pytest.mark.parametrize(
    ("rows", "worth", "lengths"),
    [
        ([[1, 2, 3]], 1, [0]),
        ([[1, 2, 3], [1, 2, 4]], 2, [2, 2]),
        ([[1, 2, 3], [1, 2, 4]], 3, [0, 0]),
        ([[1, 2, 3, 4, 5], [1, 2, 3, 4, 6], [1, 9], [1, 8]], 3, [4, 4, 1, 1]),
        ([[1, 2, 3, 4, 5], [1, 2, 3, 4, 6], [1, 9], [1, 8]], 4, [4, 4, 0, 0]),
        ([[1, 2], [1, 2, 3], [2]], 1, [2, 2, 0]),
    ],
)
def test_rows_leave_a_group_for_a_longer_beginning_that_spares_enough(rows, worth, lengths):
    assert [length for _, length in shared_beginnings(rows, worth)] == lengths


def test_a_chain_of_beginnings_takes_no_recursion():
    rows = [[1] * length for length in range(1, 3000)]
    assert len(grow(rows, [0] * len(rows))) == 2999
    assert len(shared_beginnings(rows, 10**9)) == len(rows)


@given(st.lists(st.integers(0, 2)), st.lists(st.integers(0, 2)))
def test_common_length(left, right):
    length = common_length(left, right)
    assert left[:length] == right[:length]
    assert left[length : length + 1] != right[length : length + 1] or length == len(left) == len(right)
