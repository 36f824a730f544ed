"""A text in, its numbers in words out, through text2num."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from text_to_num import find_numbers

LANGUAGES = frozenset({"en", "fr", "es", "pt", "de", "it", "nl"})
"""The languages of which text2num knows the numbers."""

SCALES = frozenset({100.0, 1e3, 1e6, 1e9, 1e12})
"""Words for these multiply the number before them, in digits too: `12 thousand`."""

_WORD = re.compile(r"[^\W\d_]{2,40}")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_NO_NUMBERS = frozenset({"o", "hundreds", "thousands", "millions", "billions", "trillions"})
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th)|second|third|(?:four|fif|six|seven|eigh|nin|ten)th")
_BEFORE_ONE = frozenset({
    "no", "the", "this", "that", "which", "any", "every", "some", "each", "another", "last", "first", "next", "right", "wrong",
    "other", "same", "certain",
})  # fmt: skip
_AFTER_ONE = frozenset({
    "of", "another", "can", "could", "should", "must", "may", "might", "would", "who", "that", "by", "day", "more",
})  # fmt: skip


@dataclass(frozen=True)
class WordedNumber:
    """A number written in words, and its place in the text."""

    value: float
    start: int
    end: int


class _Token:
    """A word as text2num wants it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def text(self) -> str:
        return self._text

    def nt_separated(self, previous: _Token) -> bool:
        return False

    def not_a_number_part(self) -> bool:
        return self._text.casefold() in _NO_NUMBERS or self._text[0].isdigit()


def worded(text: str, language: str) -> list[WordedNumber]:
    """The numbers in words, but for ordinals, and for `one` where it is a pronoun or, in other languages, an article."""
    if language not in LANGUAGES:
        return []
    if not any(_is_number(word, language) for word in set(_WORD.findall(text))):
        return []
    text = text.encode(errors="replace").decode()  # half a surrogate pair makes text2num panic
    tokens = list(_TOKEN.finditer(text))
    found = find_numbers([_Token(token.group()) for token in tokens], language, 0.0)
    words = [token.group().casefold() for token in tokens]
    return [
        WordedNumber(number.value, tokens[number.start].start(), tokens[number.end - 1].end())
        for number in found
        if not number.is_ordinal and not (number.value == 1 and _is_pronoun(words, number.start, language))
    ]


@lru_cache(maxsize=10_000)
def _is_number(word: str, language: str) -> bool:
    """Whether a word by itself is a number, or may be a part of one."""
    return bool(find_numbers([_Token(word)], language, 0.0))


def _is_pronoun(words: list[str], place: int, language: str) -> bool:
    """Whether a word for 1 counts nothing."""
    if language != "en":
        return place + 1 < len(words) and words[place + 1].isalpha()
    if len(words) <= 2:
        return False
    before = words[place - 1] if place else ""
    after = words[place + 1] if place + 1 < len(words) else ""
    return before in _BEFORE_ONE or _ORDINAL.fullmatch(before) is not None or after in _AFTER_ONE
