from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.sampling import stratified

GROUPS = st.lists(st.sampled_from("abcde"), min_size=1, max_size=60)


@given(GROUPS, st.integers(1, 80), st.integers(0, 9))
def test_a_sample_keeps_size_order_and_proportions(groups, n, seed):
    items = list(enumerate(groups))
    sample = stratified(items, lambda item: item[1], n, seed)
    assert len(sample) == min(n, len(items))
    assert sample == sorted(sample)
    assert len(set(sample)) == len(sample)
    sizes, drawn = Counter(groups), Counter(group for _, group in sample)
    if n >= len(sizes):
        assert drawn.keys() == sizes.keys(), "every group keeps at least one"
    for group, size in sizes.items():
        assert drawn[group] <= size


def test_shares_are_those_of_the_groups():
    items = ["a"] * 60 + ["b"] * 30 + ["c"] * 10
    assert Counter(stratified(items, str, 20)) == {"a": 12, "b": 6, "c": 2}


def test_the_seed_alone_decides():
    items = list(range(100))
    first = stratified(items, lambda item: item % 4, 20, seed=3)
    assert first == stratified(items, lambda item: item % 4, 20, seed=3)
    assert first != stratified(items, lambda item: item % 4, 20, seed=4)


@pytest.mark.parametrize("n", [5, 6, 100])
def test_all_of_them_are_all_of_them(n):
    assert stratified([1, 2, 3, 4, 5], lambda item: 0, n) == [1, 2, 3, 4, 5]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.data())
def test_shares_are_rounded_by_largest_remainder_one_by_one(sizes, data):
    total = sum(sizes)
    n = data.draw(st.integers(1, max(1, total - 1)))
    items = [group for group, size in enumerate(sizes) for _ in range(size)]
    drawn = Counter(stratified(items, lambda item: item, n))
    if n < total:
        assert [drawn[group] for group in range(len(sizes))] == one_by_one(sizes, n)


def one_by_one(sizes, n):
    """The same, in the plainest way."""
    least = 1 if n >= len(sizes) else 0
    exact = [n * size / sum(sizes) for size in sizes]
    quotas = [min(size, max(least, int(share))) for size, share in zip(sizes, exact, strict=True)]
    while sum(quotas) < n:
        open_ones = [i for i in range(len(sizes)) if quotas[i] < sizes[i]]
        quotas[min(open_ones, key=lambda i: (quotas[i] - exact[i], i))] += 1
    while sum(quotas) > n:
        open_ones = [i for i in range(len(sizes)) if quotas[i] > least]
        quotas[max(open_ones, key=lambda i: (quotas[i] - exact[i], i))] -= 1
    return quotas


def test_many_groups_are_no_matter():
    groups = [group for group in range(20_000) for _ in range(2)]
    sample = stratified(groups, lambda group: group, 30_000)
    assert len(sample) == 30_000
    assert set(sample) == set(range(20_000))
