"""Find probes that ask nearly the same, without comparing every pair.

Two questions are near-duplicates if their sets of words, without stop words, overlap by JACCARD_THRESHOLD in every
field: `What is the capital of France?` and `... of Japan?` do not. Long texts share many words by chance, so there
runs of three words are compared. A probe is compared only with those that share one of its rarest words: sets that
overlap so much must (prefix filtering: Bayardo, Ma, Srikant 2007).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from harness.scoring.reading import folded, normalised
from harness.suites.scorer import Scorer
from harness.suites.suite import Probe

JACCARD_THRESHOLD = 0.75
"""The overlap of two sets of words, as intersection over union, from which on the texts are near-duplicates."""

LONG_TEXT_WORDS = 25
"""A text of more words than this is a passage to read, and is compared by runs of words."""

SHINGLE_WORDS = 3
"""The length of those runs."""

MOST_CANDIDATES = 50
"""How many earlier probes with the same word a probe is compared with; a word that is rare nowhere says nothing."""

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_]+")
"""A run of letters and digits; in scripts without spaces, a single character."""

_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by did do does for from had has have how in into is it its me of on or s that the their "
        "there these this those to was were what when where which who whom whose why will with you your",
    )
)


@dataclass(frozen=True)
class Asked:
    """The text of a probe by field, its right answers, and its score, which distinguishes probes without answers."""

    fields: Mapping[str, str]
    answers: tuple[str, ...]
    scorer: Scorer


def asked(probe: Probe) -> Asked:
    """The question of a probe, as it is compared with others."""
    others = {"choices": " ".join(probe.choices), "text": probe.text or ""}
    fields = {**probe.fields, **{name: text for name, text in others.items() if text}}
    return Asked(fields, probe.answers, probe.scorer)


@dataclass(frozen=True)
class Alike:
    """Two probes, by their index, the earlier one first."""

    first: int
    second: int
    same_words: bool


def alike(probes: Sequence[Asked]) -> Iterator[Alike]:
    """Each probe that asks what an earlier one asks, with the first such, in order."""
    exact: dict[tuple[str, ...], int] = {}
    texts = [{name: _text(text) for name, text in probe.fields.items()} for probe in probes]
    answers = [frozenset(map(folded, probe.answers)) for probe in probes]
    rarity = Counter(word for fields in texts for word in _all(fields))
    index: dict[tuple[tuple[str, ...], str], list[int]] = {}

    def same(first: int, second: int) -> bool:
        """Whether the same is right for both: a shared answer, or without answers the same score."""
        if answers[first] and answers[second]:
            return not answers[first].isdisjoint(answers[second])
        return probes[first].scorer == probes[second].scorer

    for place, probe in enumerate(probes):
        first = exact.setdefault(tuple(map(normalised, probe.fields.values())), place)
        if first != place:
            yield Alike(first, place, same_words=True)
            continue
        numbers = tuple(chain.from_iterable(text.numbers for text in texts[place].values()))
        lists = [index.setdefault((numbers, word), []) for word in _rarest(_all(texts[place]), rarity)]
        candidates = sorted(set(chain.from_iterable(lists)))
        near = (other for other in candidates if same(other, place) and _like(texts[other], texts[place]))
        if (other := next(near, None)) is not None:
            yield Alike(other, place, same_words=False)
        for listed in lists:
            if len(listed) < MOST_CANDIDATES:
                listed.append(place)


def is_passage(text: str) -> bool:
    """Whether a text is a passage to read."""
    return len(text.split()) > LONG_TEXT_WORDS


def without_passages(fields: Mapping[str, str]) -> str:
    """The texts of a prompt's fields, but for passages."""
    return " ".join(text for text in fields.values() if not is_passage(text))


def like_any(known: Sequence[Mapping[str, str]], asked: Sequence[Mapping[str, str]]) -> dict[int, int]:
    """Of the probes whose fields are nearly those of a known example: their index, and that of the first such example."""
    examples = [{name: _text(text) for name, text in fields.items()} for fields in known]
    found = {}
    for place, fields in enumerate(asked if examples else ()):
        texts = {name: _text(text) for name, text in fields.items()}
        like = (number for number, example in enumerate(examples) if _like(example, texts))
        if (number := next(like, None)) is not None:
            found[place] = number
    return found


@dataclass(frozen=True)
class _Text:
    """A text as it is compared: its words without stop words, and its numbers in order, since `3 - 5` is not `5 - 3`."""

    words: frozenset[str]
    numbers: tuple[str, ...]


def _text(text: str) -> _Text:
    listed = _WORD.findall(folded(text))
    numbers = tuple(word for word in listed if word.isdecimal())
    if len(listed) > LONG_TEXT_WORDS:
        runs = zip(*(listed[start:] for start in range(SHINGLE_WORDS)), strict=False)
        return _Text(frozenset(" ".join(run) for run in runs), numbers)
    return _Text(frozenset(listed) - _STOP_WORDS or frozenset(listed), numbers)


def _all(fields: Mapping[str, _Text]) -> frozenset[str]:
    """Words of all fields, prefixed with the field's name so that equal words in different fields stay distinct."""
    return frozenset(f"{name}\0{word}" for name, text in fields.items() for word in text.words)


def _rarest(words: frozenset[str], rarity: Mapping[str, int]) -> list[str]:
    """So many of the rarest words that two near-duplicates must share one of them."""
    listed = sorted(words, key=lambda word: (rarity[word], word))
    return listed[: len(listed) - math.ceil(JACCARD_THRESHOLD * len(listed)) + 1]


def _like(one: Mapping[str, _Text], other: Mapping[str, _Text]) -> bool:
    """Whether every field overlaps enough and no number differs: `12 words` is not `14 words`."""
    return one.keys() == other.keys() and all(
        one[name].numbers == other[name].numbers
        and _overlap(one[name].words, other[name].words) >= JACCARD_THRESHOLD
        for name in one
    )


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    either = one | other
    return len(one & other) / len(either) if either else 1.0
