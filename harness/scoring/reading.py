"""The base of scores that read text: how they read it, and in which language its numbers are."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field

from harness.documents.validate import Like
from harness.normalise import alike, answer_of, plain
from harness.normalise.figures import SPACELESS
from harness.scoring.word_order import LEAST_WORDS
from harness.suites.scorer import Scorer

Read = Literal["plain", "raw"]
READ = (
    "plain: as a reader sees it, without Markdown, HTML and LaTeX, and with one kind of dash and quote; raw: as the model "
    "wrote it. Reasoning in front, such as `<think>...</think>`, is never read."
)
Language = Annotated[str, Like(r"^[a-z]{2}$", "a language as two small letters, such as 'en'")]
LANGUAGE = (
    "The answers' language: numbers in words are understood in en, fr, es, pt, de, it and nl; 2,500 is 2500 in en and 2.5 in "
    "the others; and accents may be missing in en (cafe for café)."
)
FLUENT = (
    "The baseline must also find the text's words likelier in their order than shuffled, so that a salad of the right words is "
    f"wrong. A text of fewer than {LEAST_WORDS} words is not measured."
)

_POWER = re.compile(r"(?<!\d)\^|\^(?![\d-])")
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W_])")
_TIME = re.compile(r"(?<![\d:])0(?=\d:\d\d)|(?<=\d:\d\d)(?=[a-z])")
_UNIT = re.compile(r"(?<![\w.,])\d[\d.,]*+(?=[^\W\d_])")
_MARKUP = re.compile(r"[*_`#|<>\\~$&]|^- ")


class FluentScorer(Scorer):
    """A score over prose, which may also ask for words in their order."""

    fluent: bool = Field(False, description=FLUENT)

    @property
    def asks_order(self) -> bool:
        return self.fluent


class TextScorer(FluentScorer):
    """A score that reads generated text."""

    read: Read = Field("plain", description=READ)
    language: Language = Field("en", description=LANGUAGE)

    def reading(self, text: str) -> str:
        """The text as this score reads it."""
        return plain(text) if self.read == "plain" else answer_of(text)


@lru_cache(maxsize=64)
def folded(text: str) -> str:
    """`text` with case, width, dashes, quotes and white space normalised, and powers only of numbers (`m^2` is `m2`)."""
    return " ".join(_POWER.sub("", alike(text)).casefold().split())


def normalised(text: str) -> str:
    """`folded` text without punctuation at its ends."""
    return folded(text).strip(" .,;:!?\"'`*()[]")


@lru_cache(maxsize=64)
def comparable(text: str, language: str = "en") -> str:
    """`folded` text with words apart where a hyphen or a number joins them, and in English without accents.

    Times have no 0 in front.
    """
    text = _UNIT.sub(r"\g<0> ", _HYPHEN.sub(" ", folded(text)))
    text = _TIME.sub(lambda zero: "" if zero.group() else " ", text)
    return _without_accents(text) if language == "en" and not text.isascii() else text


def has_markup(wanted: str) -> bool:
    """Whether an expected text may stand for Markdown, HTML, LaTeX or code, so that it is sought in the raw text too."""
    return _MARKUP.search(wanted) is not None


def _without_accents(text: str) -> str:
    """The text with Latin letters as they are without accents."""
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", re.sub("(?<=[a-z])[\u0300-\u036f]+", "", apart))


_ALONE = re.compile(rf"(?![\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]){SPACELESS.pattern}")
"""A character that counts as a word; Korean has spaces."""


def words(text: str) -> list[str]:
    """The words of a text with a letter or digit in them, apart at white space; each character of a script without spaces is one."""
    return [word for word in _ALONE.sub(r" \g<0> ", text).split() if re.search(r"\w", word)]


_APART = re.compile(
    rf"(?!(?:(?<=\w)(?<!{SPACELESS.pattern})(?=\w)(?!{SPACELESS.pattern})"
    r"|(?<=\d)(?=[.,:]\d)|(?<=\d[.,:])(?=\d)|(?<=(?<![\w)])-)(?=\d)))"
)
"""A place where words are apart: not between letters, but for scripts without spaces, and not within a number."""


@lru_cache(maxsize=64)
def marked(text: str) -> str:
    """Comparable text with a line break wherever words are apart, so that whole words are found as substrings.

    That takes linear time, which a regular expression does not promise.
    """
    return _APART.sub("\n", text)
