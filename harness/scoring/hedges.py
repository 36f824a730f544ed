"""A text in, the text without the answers that it leaves open out: "Paris or Rome", "5, 6 or maybe 7"."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise

from harness.normalise import Figure, alike, figures
from harness.scoring.hedging_words import WORDS, Words
from harness.scoring.reading import comparable, marked

MOST_WORDS = 4
"""Of more words, a part is a clause and no candidate."""

MOST_CHARACTERS = 300
"""A longer clause is not looked at: few hedges are, and it bounds the time."""

_CLAUSE = re.compile(r"[^.!?:;()\n\u2026]++(?:[.:](?=\w)[^.!?:;()\n\u2026]++)*+")
_SYMBOL = re.compile(r"[A-Z][a-z]?\d?|[A-Z0-9]{2,5}|(?:[A-Z][a-z]?\d{0,2}){2,4}")
_NAME = re.compile(r"(?:[^\W\d_a-z][\w.'-]*|of|the|de|la|von)(?: (?:[^\W\d_a-z][\w.'-]*|of|the|de|la|von))*")
_YEARS = re.compile(r"\d{4}\D+\d{4}")
_MORE = re.compile(r"-\d| ?=")
_STOP = re.compile(r"[.!?;\n]")
_EDGES = " \t\"'.,*-"
_BRACKETED = re.compile(r"[\[{][^\[\]{}\n]{1,100}[\]}]|(?<!\w)[A-Z]\.(?= (?:[A-Z]\. )?[A-Z][a-z])")
_MASKED = {ord(character): 0xE000 + place for place, character in enumerate(" ,.:;?!()/")}
_UNMASKED = {masked: character for character, masked in _MASKED.items()}
"""What would end a clause or part one, within a list such as [1, 2] and after an initial."""


def without_open(text: str, expected: Sequence[str], language: str = "en") -> str:
    """The text without each clause's list of candidates of which one is expected and another is not.

    A list is what stands around an "or", a "maybe" or a slash, up to the verb before it: "It is Paris or Rome", "Either hot or
    cold", "Paris and maybe Rome". It leaves nothing open if every part is expected, and a part that is no candidate makes it
    no list: a clause ("Paris or as it is known, the City of Light"), a filler ("five or more"), a restatement ("12 or a dozen",
    "Au or gold"), an apposition after a comma ("H2O, or water"), an activity ("they use a saw or a knife"), two words joined
    by a slash without a verb before them ("Paris/France", "sofa/couch"). In linear time.
    """
    words = WORDS.get(language)
    if words is None or not words.joins.search(text):
        return text
    wanted = _Wanted(tuple(expected), language, words)
    masked = _BRACKETED.sub(lambda found: found.group().translate(_MASKED), text)
    return _CLAUSE.sub(lambda clause: wanted.closed(clause.group()), masked).translate(_UNMASKED)


def open_figures(text: str, found: Sequence[Figure], language: str) -> set[int]:
    """Which of the figures of a text are left open: "5 or 6", "5, 6 or maybe 7", "20 to 25", "less than 25", "> 25".

    Years, and a way "from" one number to another, leave nothing open; nor does a comparison of two: "20 is less than 25".
    """
    words = WORDS.get(language)
    if words is None:
        return set()
    out: set[int] = set()
    for place, (first, second) in enumerate(pairwise(found)):
        between = text[first.end : second.start]
        if len(between) <= 20 and words.between.fullmatch(between) and not _are_same(first, second):
            out |= {place, place + 1}
            while place and text[found[place - 1].end : found[place].start].strip() == ",":
                place -= 1
                out.add(place)
        elif _is_range(text, first, second, words):
            out |= {place, place + 1}
    ends = [0, *(figure.end for figure in found)]
    bounds = enumerate(text[end : figure.start] for end, figure in zip(ends, found, strict=False))
    return out | {
        place
        for place, before in bounds
        if words.bound.search(before[-40:]) and (place == 0 or _STOP.search(before))
    }


def _are_same(first: Figure, second: Figure) -> bool:
    """Whether two figures are one number, as 0.75 and 75% are."""
    scale = 1 if first.percent is second.percent else 100
    percent, other = (first, second) if first.percent else (second, first)
    return math.isclose(percent.value, other.value * scale) or percent.value == other.value


def _is_range(text: str, first: Figure, second: Figure, words: Words) -> bool:
    """Whether two figures are the ends of a range that holds the answer."""
    between, before = text[first.end : second.start], text[max(0, first.start - 12) : first.start]
    if not first.value < second.value or _YEARS.fullmatch(text, first.start, second.end):
        return False
    if words.pair.fullmatch(between):
        return re.search(rf"(?<!\w)(?:{words.betweens}) \W?\Z", before, re.IGNORECASE) is not None
    if not words.to.fullmatch(between) or _MORE.match(text, second.end) or before[-1:] == "-":
        return False
    return re.search(rf"(?<!\w)(?:{words.froms}) \W?\Z", before, re.IGNORECASE) is None


class _Wanted:
    """The right answers of a probe, as candidates are compared with them."""

    def __init__(self, expected: tuple[str, ...], language: str, words: Words) -> None:
        self.language = language
        self.words = words
        self.cores = {self.core(answer) for answer in expected}
        self.marked = [marked(comparable(answer, language)) for answer in expected]
        self.values = {value for answer in expected if (value := self.value(answer)) is not None}

    def closed(self, clause: str) -> str:
        """A clause without the candidates that it leaves open."""
        if len(clause) > MOST_CHARACTERS or not (join := self.words.joins.search(clause)):
            return clause
        says = list(self.words.says.finditer(clause, 0, join.start()))
        start = says[-1].end() if says else 0
        end = tail.start() if (tail := self.words.tail.search(clause, join.end())) else len(clause)
        either = bool(says) and self.words.either.fullmatch(says[-1].group().strip()) is not None
        parts = [part for part in self.words.parts.split(clause[start:end]) if part.strip(_EDGES)]
        if join.group() == "/" and not says:  # Paris/France, sofa/couch
            return clause
        apposition = len(parts) == 2 and join.group().startswith(",") and not either
        if apposition and not self.words.maybe.search(join.group()):
            return clause
        return f"{clause[:start]} {clause[end:]}" if self.leaves_open(parts) else clause

    def leaves_open(self, parts: Sequence[str]) -> bool:
        """Whether of several candidates some are right and others are not."""
        if len(parts) < 2 or any(len(part.split()) > MOST_WORDS for part in parts):
            return False
        parts = [part.strip(_EDGES).translate(_UNMASKED) for part in parts]
        right = [part for part in parts if self.is_right(part)]
        return bool(right) and any(self.is_rival(part, right) for part in parts if part not in right)

    def is_right(self, part: str) -> bool:
        """Whether a candidate is an answer, or a name that holds one, as William Shakespeare does Shakespeare."""
        if self.core(part) in self.cores or self.value(part) in self.values - {None}:
            return True
        return _NAME.fullmatch(part) is not None and self.mentions(part)

    def is_rival(self, part: str, right: Sequence[str]) -> bool:
        """Whether a candidate is another answer, not a filler and not a right one in other words."""
        if self.words.filler.match(part) or self.mentions(part):
            return False
        within = marked(comparable(self.core(part), self.language))
        if any(within in answer for answer in self.marked):
            return False
        has_figure = bool(figures(alike(part), self.language))
        alike_in_kind = any(
            bool(figures(alike(other), self.language)) is has_figure
            and (_SYMBOL.fullmatch(other) is None) is (_SYMBOL.fullmatch(part) is None)
            and (not has_figure or self.unit(part) == self.unit(other))
            for other in right
        )
        return bool(self.core(part)) and alike_in_kind

    def mentions(self, part: str) -> bool:
        whole = marked(comparable(part, self.language))
        return any(answer in whole for answer in self.marked)

    def core(self, part: str) -> str:
        """A candidate as it is compared: without articles and prepositions before it."""
        whole = comparable(part, self.language).strip(_EDGES)
        return self.words.small.sub("", whole) or whole

    def unit(self, part: str) -> str:
        """What stands after the last figure."""
        text = alike(part)
        return comparable(text[figures(text, self.language)[-1].end :], self.language).strip(_EDGES)

    def value(self, part: str) -> float | None:
        found = figures(alike(part), self.language)
        return found[0].value if len(found) == 1 and not self.unit(part) else None
