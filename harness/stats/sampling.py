"""Items and the size of a sample in, a seeded sample that keeps the proportions of their groups out."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Sequence
from heapq import heapify, heappop, heappush
from typing import TypeVar

T = TypeVar("T")


def stratified(items: Sequence[T], group: Callable[[T], Hashable], n: int, seed: int = 0) -> list[T]:
    """At most `n` of `items`, in their order, in which each group has its share.

    Shares are rounded by largest remainder, and every group keeps at least one item as long as `n` allows. The
    sample depends on the items' order, their groups and `seed` alone.
    """
    if n >= len(items):
        return list(items)
    members: dict[Hashable, list[int]] = {}
    for index, item in enumerate(items):
        members.setdefault(group(item), []).append(index)
    quotas = _quotas([len(indices) for indices in members.values()], n)
    chooser = random.Random(seed)
    chosen: list[int] = []
    for indices, quota in zip(members.values(), quotas, strict=True):
        chosen += chooser.sample(indices, quota)
    return [items[index] for index in sorted(chosen)]


def _quotas(sizes: Sequence[int], n: int) -> list[int]:
    total = sum(sizes)
    least = 1 if n >= len(sizes) else 0
    exact = [n * size / total for size in sizes]
    quotas = [min(size, max(least, int(share))) for size, share in zip(sizes, exact, strict=True)]
    # While quotas are short, the group with the largest remainder gains one; while over, that with the smallest loses one.
    # Both end because 0 < n < total. The queue is ordered by the remainder, then by the group's index.
    short = n - sum(quotas)
    step = 1 if short > 0 else -1
    waiting = [
        (step * (quota - share), step * i) for i, (quota, share) in enumerate(zip(quotas, exact, strict=True))
    ]
    heapify(waiting)
    while short:
        _, place = heappop(waiting)
        index = step * place
        if quotas[index] == sizes[index] if step > 0 else quotas[index] == least:
            continue
        quotas[index] += step
        short -= step
        heappush(waiting, (step * (quotas[index] - exact[index]), place))
    return quotas
