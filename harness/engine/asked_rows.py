"""Tokens of requests in, rows in which each occurs once out: what changes a token changes it wherever it occurs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

ROW = 256
"""Distinct tokens of the requests that are read in one row, where the model's context is as long."""

FIRST = 16
"""Tokens of the first row: what changes anything mostly shows in a few."""


def distinct_tokens(rows: Iterable[Sequence[int]], size: int, longest: int) -> Iterator[list[int]]:
    """All tokens of some rows, each once, in rows that grow up to `longest`; only the first `size` of the vocabulary count."""
    length = min(FIRST, longest)
    seen: set[int] = set()
    waiting: list[int] = []
    for tokens in rows:
        known = [token for token in tokens if token < size]
        waiting += [token for token in dict.fromkeys(known) if token not in seen]
        seen.update(known)
        while len(waiting) >= length:
            yield waiting[:length]
            del waiting[:length]
            length = min(2 * length, longest)
    if waiting:
        yield waiting
