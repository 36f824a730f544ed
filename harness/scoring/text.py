"""Scores that compare text: contains, mentions, equals, regex."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Sequence
from typing import ClassVar

from harness.scoring.registry import scorer
from harness.suites.scorer import Scorer


def folded(text: str) -> str:
    """`text` without differences of case, width, apostrophe or white space."""
    text = unicodedata.normalize("NFKC", text).replace("\u2019", "'").casefold()
    return " ".join(text.split())


def normalised(text: str) -> str:
    """`folded` text without punctuation at its ends."""
    return folded(text).strip(" .,;:!?\"'`*()[]")


def mentions(text: str, wanted: str) -> bool:
    """Whether `wanted` stands in `text` as whole words."""
    pattern = rf"(?<!\w){re.escape(folded(wanted))}(?!\w)"
    return re.search(pattern, folded(text)) is not None


@scorer("contains")
class Contains(Scorer):
    """The answer stands somewhere in the text; upper and lower case are alike."""

    settles: ClassVar[bool] = True

    def right(self, text: str, expected: Sequence[str]) -> bool:
        return any(folded(answer) in folded(text) for answer in expected)


@scorer("mentions")
class Mentions(Scorer):
    """Like contains, at word boundaries: 'art' is not in 'heart'."""

    settles: ClassVar[bool] = True

    def right(self, text: str, expected: Sequence[str]) -> bool:
        return any(mentions(text, answer) for answer in expected)


@scorer("equals")
class Equals(Scorer):
    """The text is the answer, but for case, white space and punctuation at its ends."""

    def expected_problem(self, expected: str) -> str | None:
        if not normalised(expected):
            return "an answer under 'equals' must not be punctuation alone"
        return None

    def right(self, text: str, expected: Sequence[str]) -> bool:
        return normalised(text) in {normalised(answer) for answer in expected}


def pattern_problem(pattern: str) -> str | None:
    """Why `pattern` cannot be searched for, or None."""
    try:
        with warnings.catch_warnings():  # of a set in a set, which later Pythons will read differently
            warnings.simplefilter("error", FutureWarning)
            compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError, FutureWarning) as error:
        return f"not a regular expression: {error}"
    if compiled.search(""):
        return "this regular expression matches empty text, so it matches anything"
    return None


@scorer("regex")
class Regex(Scorer):
    """The answer is a regular expression (Python's `re`, `^` and `$` at lines) found in the text."""

    def expected_problem(self, expected: str) -> str | None:
        return pattern_problem(expected)

    def right(self, text: str, expected: Sequence[str]) -> bool:
        return any(re.search(pattern, text, re.MULTILINE) for pattern in expected)
