"""Two answers in, the pieces of each out, and which of them the other lacks: word by word, in bounded time."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

MOST_EDITS = 40
"""Answers that differ by more words than these are compared at their beginnings and ends alone."""

MOST_WORDS = 400
"""The same of answers with more words between."""

ALIKE = 0.25
"""Answers with a smaller share of their words in common are shown unmarked: everything is different."""

_WORD = re.compile(r"(?:[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|\S)\s*|\s+")


@dataclass(frozen=True)
class Piece:
    """A part of an answer, and whether the other answer lacks it."""

    text: str
    differs: bool = False


def differences(before: str, after: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces that together are the text; unmarked if they are equal, or have next to nothing in common."""
    if before == after:
        return [Piece(before)], [Piece(after)]
    sides = [_WORD.findall(text) for text in (before, after)]
    keys = [[word.strip() for word in words] for words in sides]
    common = _common(*keys)
    if len(common) < ALIKE * max(map(len, keys)):
        return [Piece(before)], [Piece(after)]
    shared = ({pair[0] for pair in common}, {pair[1] for pair in common})
    first, second = (list(_pieces(*side)) for side in zip(sides, shared, strict=True))
    return first, second


def _pieces(words: Sequence[str], shared: Collection[int]) -> Iterator[Piece]:
    for differs, group in groupby(range(len(words)), lambda place: place not in shared):
        text = "".join(words[place] for place in group)
        yield Piece(text.rstrip(), differs)
        yield Piece(text[len(text.rstrip()) :])


def _common(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    """The places of words that both have in the same order: of the beginning, the end, and what is between."""
    shorter = min(len(before), len(after))
    start = next((place for place in range(shorter) if before[place] != after[place]), shorter)
    rest = shorter - start
    end = next((place for place in range(rest) if before[-1 - place] != after[-1 - place]), rest)
    ends = [(len(before) - place, len(after) - place) for place in range(end, 0, -1)]
    between = _matched(before[start : len(before) - end], after[start : len(after) - end])
    return [
        *((place, place) for place in range(start)),
        *((start + first, start + second) for first, second in between),
        *ends,
    ]


def _matched(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    """The longest common subsequence by Myers' greedy algorithm (1986, Algorithmica 1, 251-266, fig. 2); none beyond the bounds."""
    if max(len(before), len(after)) > MOST_WORDS:
        return []
    reach, trace = {1: 0}, []
    for edits in range(MOST_EDITS + 1):
        trace.append(dict(reach))
        for diagonal in range(-edits, edits + 1, 2):
            first = _stepped(reach, diagonal, edits)
            second = first - diagonal
            while first < len(before) and second < len(after) and before[first] == after[second]:
                first, second = first + 1, second + 1
            reach[diagonal] = first
            if first >= len(before) and second >= len(after):
                return list(_walked_back(trace, len(before), len(after)))[::-1]
    return []


def _stepped(reach: dict[int, int], diagonal: int, edits: int) -> int:
    """Where a path of `edits` edits enters a diagonal."""
    return reach[diagonal + 1] if _is_insertion(reach, diagonal, edits) else reach[diagonal - 1] + 1


def _is_insertion(reach: dict[int, int], diagonal: int, edits: int) -> bool:
    """Whether it enters by a word of the second text alone, rather than of the first."""
    return diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])


def _walked_back(trace: Sequence[dict[int, int]], first: int, second: int) -> Iterator[tuple[int, int]]:
    """The matched places of the shortest path, from its end."""
    for edits in range(len(trace) - 1, -1, -1):
        reach, diagonal = trace[edits], first - second
        while first > _stepped(reach, diagonal, edits):
            first, second = first - 1, second - 1
            yield first, second
        if _is_insertion(reach, diagonal, edits):
            second -= 1
        else:
            first -= 1
