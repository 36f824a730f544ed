"""Scores that compare text: contains, mentions, equals, regex."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar

from harness.normal import nfkc
from harness.scoring.pattern import is_found, pattern_problem
from harness.scoring.registry import scorer
from harness.suites.scorer import Scorer

_EDGE = re.compile(r"(?<!\w)()(?:(?!\w)())?|(?!\w)()")


@lru_cache(maxsize=16)
def folded(text: str) -> str:
    """`text` with case, width, apostrophes and white space normalised."""
    return " ".join(nfkc(text).replace("\u2019", "'").casefold().split())


def normalised(text: str) -> str:
    """`folded` text without punctuation at its ends."""
    return folded(text).strip(" .,;:!?\"'`*()[]")


def mentions(text: str, wanted: str) -> bool:
    """Whether `wanted` occurs in `text` as whole words."""
    return _with_edges(folded(wanted)) in _with_edges(folded(text))


@lru_cache(maxsize=16)
def _with_edges(text: str) -> str:
    """Folded text with a line break wherever no word character precedes, and a tab wherever none follows.

    Folded text contains neither, so whole words can be found as substrings: in linear time, which a regular expression
    does not promise.
    """
    return _EDGE.sub(
        lambda edge: ("" if edge[1] is None else "\n") + ("" if edge[2] is edge[3] else "\t"), text
    )


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


@scorer("regex")
class Regex(Scorer):
    """The answer is a regular expression (Python's `re`, `^` and `$` at lines) found in the text."""

    def expected_problem(self, expected: str) -> str | None:
        return pattern_problem(expected)

    def right(self, text: str, expected: Sequence[str]) -> bool:
        return any(is_found(pattern, text) for pattern in expected)
