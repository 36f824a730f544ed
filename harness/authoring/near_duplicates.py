"""What probes ask in, the pairs of them that ask nearly the same out, without comparing each with each.

Two questions are alike when their sets of words, without the small ones, overlap by JACCARD_THRESHOLD in every field:
`What is the capital of France?` and `... of Japan?` are not. In long texts, which share many words by chance,
three words in a row stand for one. A probe is held only against those with which it shares one of its rarest
words: sets that overlap so far must (prefix filtering: Bayardo, Ma, Srikant 2007).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from harness.scoring.text import folded, normalised
from harness.suites.scorer import Scorer

JACCARD_THRESHOLD = 0.75
"""The share of two sets of words that both have, from which on the texts are alike."""

LONG_TEXT_WORDS = 25
"""A text of more words than this is a long one."""

SHINGLE_WORDS = 3
"""How many words in a row stand for one in a long text."""

MOST_CANDIDATES = 50
"""Earlier probes with one word that a probe is compared with: a word that is rare in none tells nothing."""

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_]+")
"""A run of letters and digits; in scripts without spaces, a character."""

_SMALL = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by did do does for from had has have how in into is it its me of on or s that the their "
        "there these this those to was were what when where which who whom whose why will with you your",
    )
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
    texts = [{name: _text(text) for name, text in one.fields.items()} for one in asked]
    rarity = Counter(word for fields in texts for word in _all(fields))
    wishes = [_Wish(frozenset(map(folded, one.answers)), one.scorer) for one in asked]
    index: dict[tuple[tuple[str, ...], str], list[int]] = {}
    for place, one in enumerate(asked):
        first = exact.setdefault(tuple(normalised(text) for text in one.fields.values()), place)
        if first != place:
            yield Alike(first, place, same_words=True)
            continue
        numbers = tuple(chain.from_iterable(text.numbers for text in texts[place].values()))
        lists = [index.setdefault((numbers, word), []) for word in _rarest(_all(texts[place]), rarity)]
        near = sorted({other for listed in lists for other in listed})
        alike_ones = (
            other for other in near if wishes[other].same(wishes[place]) and _like(texts[other], texts[place])
        )
        if (found := next(alike_ones, None)) is not None:
            yield Alike(found, place, same_words=False)
        for listed in lists:
            if len(listed) < MOST_CANDIDATES:
                listed.append(place)


@dataclass(frozen=True)
class _Wish:
    """What is right: the answers, folded, and the rule."""

    answers: frozenset[str]
    scorer: Scorer

    def same(self, other: _Wish) -> bool:
        """Whether what is right for one is right for the other: a shared answer, or the same rule."""
        if self.answers and other.answers:
            return not self.answers.isdisjoint(other.answers)
        return self.scorer == other.scorer


@dataclass(frozen=True)
class _Text:
    """A text as it is compared: its telling words, and its numbers in order, for `3 - 5` is not `5 - 3`."""

    words: frozenset[str]
    numbers: tuple[str, ...]


def _text(text: str) -> _Text:
    listed = _WORD.findall(folded(text))
    numbers = tuple(word for word in listed if word.isdecimal())
    if len(listed) > LONG_TEXT_WORDS:
        runs = zip(*(listed[start:] for start in range(SHINGLE_WORDS)), strict=False)
        return _Text(frozenset(" ".join(run) for run in runs), numbers)
    return _Text(frozenset(listed) - _SMALL or frozenset(listed), numbers)


def _all(fields: Mapping[str, _Text]) -> frozenset[str]:
    """Words of all fields, prefixed with the field's name so that equal words in different fields stay distinct."""
    return frozenset(f"{name}\0{word}" for name, text in fields.items() for word in text.words)


def _rarest(words: frozenset[str], rarity: Mapping[str, int]) -> list[str]:
    """Enough of the rarest words that two like sets must share one of them."""
    listed = sorted(words, key=lambda word: (rarity[word], word))
    return listed[: len(listed) - math.ceil(JACCARD_THRESHOLD * len(listed)) + 1]


def _like(one: Mapping[str, _Text], other: Mapping[str, _Text]) -> bool:
    """Whether every field is like, and no number differs: `12 words` is not `14 words`."""
    return one.keys() == other.keys() and all(
        one[name].numbers == other[name].numbers
        and _overlap(one[name].words, other[name].words) >= JACCARD_THRESHOLD
        for name in one
    )


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    either = one | other
    return len(one & other) / len(either) if either else 1.0
