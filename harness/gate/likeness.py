"""What probes ask in, the pairs of them that ask nearly the same out, without comparing each with each.

Two questions are alike when the sets of their words, without the small ones, overlap by LIKE (Jaccard) in every
field. `What is the capital of France?` and `... of Japan?` are so not alike. A probe is held against those alone with which
it shares one of its rarest words: sets that overlap by LIKE must (prefix filtering; Bayardo, Ma, Srikant 2007).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.scoring.text import folded, normalised
from harness.suites.scorer import Scorer

LIKE = 0.75

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_]+")
"""A run of letters and digits; in scripts without spaces, a character."""

_SMALL = frozenset(
    """
    a an and are as at be by did do does for from had has have how in into is it its me of on or s that the their
    there these this those to was were what when where which who whom whose why will with you your
    """.split()
)


@dataclass(frozen=True)
class Asked:
    """What a probe asks, by field; its right answers; and its score, by which probes without answers differ."""

    fields: Mapping[str, str]
    answers: tuple[str, ...]
    scorer: Scorer


@dataclass(frozen=True)
class Alike:
    """Two probes, by their place in the list, the earlier one first."""

    first: int
    second: int
    same_words: bool


def alike(asked: Sequence[Asked]) -> Iterator[Alike]:
    """Each probe that asks what an earlier one asks, with the first such, in order."""
    exact: dict[tuple[str, ...], int] = {}
    words = [{name: _words(text) for name, text in one.fields.items()} for one in asked]
    rarity = Counter(word for fields in words for word in _all(fields))
    index: dict[str, list[int]] = {}
    for place, one in enumerate(asked):
        first = exact.setdefault(tuple(normalised(text) for text in one.fields.values()), place)
        if first != place:
            yield Alike(first, place, same_words=True)
            continue
        prefix = _rarest(_all(words[place]), rarity)
        near = sorted({other for word in prefix for other in index.get(word, ())})
        found = next(
            (other for other in near if _same_wish(asked[other], one) and _like(words[other], words[place])),
            None,
        )
        if found is not None:
            yield Alike(found, place, same_words=False)
        for word in prefix:
            index.setdefault(word, []).append(place)


def _words(text: str) -> frozenset[str]:
    found = frozenset(_WORD.findall(folded(text)))
    return found - _SMALL or found


def _all(fields: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Words of all fields, each told from the same word in another field."""
    return frozenset(f"{name}\0{word}" for name, words in fields.items() for word in words)


def _rarest(words: frozenset[str], rarity: Mapping[str, int]) -> list[str]:
    """Enough of the rarest words that two like sets must share one of them."""
    listed = sorted(words, key=lambda word: (rarity[word], word))
    return listed[: len(listed) - math.ceil(LIKE * len(listed)) + 1]


def _same_wish(one: Asked, other: Asked) -> bool:
    """Whether what is right for one is right for the other: a shared answer, or the same rule."""
    if one.answers and other.answers:
        return bool({folded(answer) for answer in one.answers} & {folded(answer) for answer in other.answers})
    return one.scorer == other.scorer


def _like(one: Mapping[str, frozenset[str]], other: Mapping[str, frozenset[str]]) -> bool:
    """Whether every field is like, and no number differs: `12 words` is not `14 words`."""
    return one.keys() == other.keys() and all(
        _overlap(one[name], other[name]) >= LIKE and _numbers(one[name]) == _numbers(other[name])
        for name in one
    )


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    either = one | other
    return len(one & other) / len(either) if either else 1.0


def _numbers(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if word.isdecimal())
