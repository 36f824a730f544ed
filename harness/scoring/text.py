"""Scores that compare text: contains, mentions, equals, regex."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated

from pydantic import Field

from harness.documents.validate import Text
from harness.normalise import Figure, alike, answer_of, figures
from harness.normalise.figures import enumerated, only_figure
from harness.scoring.final import FINAL, Final, first_turn, part
from harness.scoring.hedges import open_figures, without_open
from harness.scoring.negation import denies, without_denied
from harness.scoring.options_named import named_option, without_lettered
from harness.scoring.pattern import is_found, pattern_problem
from harness.scoring.reading import (
    READ,
    Read,
    TextScorer,
    comparable,
    has_markup,
    marked,
    normalised,
    words,
)  # fmt: skip
from harness.scoring.registry import scorer
from harness.wording import one_line


def contains(text: str, wanted: str, language: str = "en") -> bool:
    """Whether `wanted` occurs anywhere in `text`, which has been read."""
    return comparable(wanted, language) in comparable(text, language)


def mentions(text: str, wanted: str, language: str = "en", *, hedged: bool = False) -> bool:
    """Whether `wanted` occurs in `text`, which has been read, as whole words, or as a whole number if it is one.

    Args:
        hedged: whether a number counts that the text only lists or leaves open.
    """
    number = only_figure(alike(wanted), language)
    named = figures(alike(text), language) if hedged else _named(text, language)
    if number is not None and any(_same(number, figure) for figure in named):
        return True
    if number is not None:
        if not number.in_words:
            return False
        text = _without_others(text, number, language)
    return marked(comparable(wanted, language)) in marked(comparable(text, language))


def _without_others(text: str, wanted: Figure, language: str) -> str:
    """The text without its other numbers in words, so that "five" is not in "twenty-five"."""
    text, kept, done = alike(text), [], 0
    for figure in figures(text, language):
        if figure.in_words and not _same(wanted, figure):
            kept.append(text[done : figure.start])
            done = figure.end
    return " ".join([*kept, text[done:]])


@lru_cache(maxsize=16)
def _named(text: str, language: str) -> tuple[Figure, ...]:
    """The numbers that a text names: not those that it only lists (but the last), or leaves open as in "5 or 6"."""
    found = figures(alike(text), language)
    out = enumerated(text, found) | open_figures(text, found, language)
    return tuple(figure for place, figure in enumerate(found) if place not in out)


def _same(wanted: Figure, figure: Figure) -> bool:
    return math.isclose(wanted.value, figure.value, rel_tol=1e-9) and (figure.percent or not wanted.percent)


class Sought(TextScorer):
    """A score that looks for its answer in a part of the text."""

    final: Final = Field("whole", description=FINAL)
    max_words: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="The most words that the part with the answer may have, so that a copied passage is wrong.",
    )

    @property
    def settles(self) -> bool:
        return self.final == "whole" and self.max_words is None and not self.fluent

    def parts(self, text: str, wanted: str) -> list[str]:
        """The readings of the text in which `wanted` counts: if it has marks of its own, the text as written is one."""
        read = part(text, self.reading(text), self.final)
        as_written = [answer_of(text)] if has_markup(wanted) and self.final == "whole" else []
        readings = [*([] if read is None else [read]), *as_written]
        return list(filter(self.fits, readings))

    def fits(self, reading: str) -> bool:
        """Whether a reading is short enough."""
        return self.max_words is None or len(words(reading)) <= self.max_words

    def why(self, text: str, expected: Sequence[str]) -> str | None:
        read = part(text, self.reading(text), self.final)
        if read is None:
            return f"final: {self.final}: there is no such part"
        if not self.fits(read):
            return f"max_words: {self.max_words}: has {len(words(read))}"
        if self.final == "whole" or read == self.reading(text):
            return None
        return f"taken as the final answer: {one_line(read)}"


@scorer("contains")
class Contains(Sought):
    """The answer stands somewhere in the text, in any case, inside words and numbers too: 'art' and 5 are in 'heart 15'.

    What the text answers to a question of its own ('Q: ... A: ...', 'User: ... Assistant: ...') does not count.
    """

    def right(self, text: str, expected: Sequence[str]) -> bool:
        return self.may_be_right(first_turn(text), expected)

    def may_be_right(self, text: str, expected: Sequence[str]) -> bool:
        return any(
            contains(reading, answer, self.language)
            for answer in expected
            for reading in self.parts(text, answer)
        )


@scorer("mentions")
class Mentions(Sought):
    """Like contains, as whole words: 'art' is not in 'heart', 日本 is in 日本は, which has no spaces.

    An answer that is a number is found as a number: 24 in '24m²', '$24', '24.00' and 'twenty-four', 1000 in '1,000' and '1 000',
    but 5 neither in '2.5', '-5', '1,500' and '5:30', nor in '5 or 6', '4 to 5' and 'less than 5', nor in a list of six numbers or
    more or a text that counts through ten, of which only the last counts. What the text denies does not count: 'not Paris', 'sugar instead of salt', 'Paris? No, Rome'; nor does what it
    leaves open beside another candidate: 'Paris or Rome', 'either hot or cold', 'Paris and maybe Rome', or in a lettered
    list from which it takes nothing: 'A) Rome B) Paris C) Lyon'; nor what it answers to a question of its own ('Q: ... A: ...',
    'User: ... Assistant: ...').
    """

    denied: bool = Field(
        False,
        description="Whether an answer that the text denies counts, as Paris in 'It is not Paris'.",
    )
    hedged: bool = Field(
        False,
        description="Whether an answer counts that the text leaves open beside a wrong one, as Paris in 'Paris or Rome'.",
    )
    among: Annotated[list[Text], Field(min_length=2)] | None = Field(
        None,
        description="The options to choose from. The one that the text settles on must be the answer: the one after 'answer is', "
        "the only one in bold, else the only one in the first or the last clause that names any, before the reasons or after "
        "them; a list of the options settles on nothing. Of letters, 'a' as an article is none.",
    )

    @property
    def settles(self) -> bool:
        return super().settles and self.among is None

    def expected_problem(self, expected: str) -> str | None:
        if self.among and comparable(expected) not in map(comparable, self.among):
            return f"an answer under 'among' must be one of its options, saw {expected!r}"
        return None

    def right(self, text: str, expected: Sequence[str]) -> bool:
        return self._found(first_turn(text), expected)

    def _found(self, text: str, expected: Sequence[str]) -> bool:
        if self.among:
            read = part(text, self._kept(self.reading(text)), self.final)
            if read is None or not self.fits(read):
                return False
            chosen = named_option(text, read, self.among, self.language)
            return chosen is not None and comparable(chosen) in map(comparable, expected)
        return any(
            mentions(
                reading if denies(answer, self.language) else self._kept(reading, expected, text),
                answer,
                self.language,
                hedged=self.hedged,
            )
            for answer in expected
            for reading in self.parts(text, answer)
        )

    def may_be_right(self, text: str, expected: Sequence[str]) -> bool:
        return self.model_copy(update={"denied": True, "hedged": True})._found(text, expected)

    def why(self, text: str, expected: Sequence[str]) -> str | None:
        if text != (own := first_turn(text)) and self._found(text, expected):
            return "it mentions a right answer to a question of its own"
        text = own
        why = super().why(text, expected)
        read = part(text, self._kept(self.reading(text)), self.final)
        if self.among and read is not None and self.fits(read):
            chosen = named_option(text, read, self.among, self.language)
            return (
                "it settles on none of the options" if chosen is None else f"it settles on {one_line(chosen)}"
            )
        if why is None and not self.denied and self.model_copy(update={"denied": True}).right(text, expected):
            return "it mentions a right answer, and denies it"
        if why is None and not self.hedged and self.model_copy(update={"hedged": True}).right(text, expected):
            return "it mentions a right answer, and leaves it open"
        return why

    def _kept(self, reading: str, expected: Sequence[str] = (), raw: str = "") -> str:
        kept = reading if self.denied else without_denied(reading, self.language)
        if self.hedged or not expected:
            return kept
        return without_open(without_lettered(raw, kept, expected, self.language), expected, self.language)


@scorer("equals")
class Equals(Sought):
    """The text is the answer, but for case, white space, quotes and punctuation at its ends, or is the same number."""

    @property
    def settles(self) -> bool:
        return False

    def expected_problem(self, expected: str) -> str | None:
        if not normalised(expected):
            return "an answer under 'equals' must not be punctuation alone"
        return None

    def right(self, text: str, expected: Sequence[str]) -> bool:
        return any(
            self._equal(reading, answer) for answer in expected for reading in self.parts(text, answer)
        )

    def _equal(self, reading: str, answer: str) -> bool:
        ends = " .,;:!?\"'`*()[]"
        if comparable(reading, self.language).strip(ends) == comparable(answer, self.language).strip(ends):
            return True
        number, wanted = (
            only_figure(alike(text).strip(" .!\"'*"), self.language) for text in (reading, answer)
        )
        return number is not None and wanted is not None and _same(wanted, number)


@scorer("regex")
class Regex(TextScorer):
    """The answer is a regular expression (Python's `re`, `^` and `$` at lines) found in the text, which it reads raw."""

    read: Read = Field(
        "raw", description=f"{READ} A pattern may be about Markdown, so this score reads raw by default."
    )

    def expected_problem(self, expected: str) -> str | None:
        return pattern_problem(expected)

    def right(self, text: str, expected: Sequence[str]) -> bool:
        read = self.reading(text)
        return any(is_found(pattern, read) for pattern in expected)
