"""A reply in, the texts whose likelihoods tell its word order from none out; and how much the order has to gain.

Sentences are likelier in their order than with their words shuffled; a salad of the right words is not. The likelihoods are
the baseline's (`harness.evaluation.word_order`), so a tuned model is not asked whether it likes what it wrote.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from random import Random
from statistics import mean

from harness.digest import digest
from harness.normalise import plain
from harness.normalise.figures import SPACELESS

LEAST_GAIN = 2.0
"""By how many nats a word the order makes a fluent reply likelier."""
LEAST_WORDS = 5
"""A reply of fewer words has too few orders to tell anything, and is judged by its rule alone."""
SHUFFLES = 2
MOST_CHARACTERS = 300
"""So much of a reply is measured, which bounds the cost and fits any model's context."""

_SIGNS = "\u0300-\u036f\u0590-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0dff"
"""Accents, points and vowels written on or beside a letter, in Hebrew, Arabic and the scripts of India."""
_LETTER = rf"(?!{SPACELESS.pattern})(?:[^\W_]|[{_SIGNS}])"
_RUN = rf"{_LETTER}(?:{_LETTER}|'(?={_LETTER})|[:.,](?=\d))*+"
_MARKS = r"[!-/:-@\[-`{-~…]{0,3}"
_WORD = re.compile(rf"{_MARKS}(?:{SPACELESS.pattern}|{_RUN}(?:-{_RUN})?+){_MARKS}")
"""A word with the punctuation at its ends, or a character of a script without spaces; no emoji, which some tokenizers lack."""
_SPACELESS = re.compile(rf"{_MARKS}{SPACELESS.pattern}")


def orders(reply: str) -> tuple[str, ...]:
    """The beginning of a reply as a reader sees it, and the same with its words shuffled, SHUFFLES times; or none if it is too short.

    The seed is the text's own digest, so a text has the same shuffles everywhere.
    """
    found = list(_WORD.finditer(plain(reply)[:MOST_CHARACTERS]))
    if len(found) < LEAST_WORDS:
        return ()
    gaps = [_gap(before, after) for before, after in pairwise(found)]
    words = [match.group() for match in found]
    text = _joined(words, gaps)
    chooser = Random(digest(text))
    return text, *(_joined(_shuffled(words, chooser), gaps) for _ in range(SHUFFLES))


def gain(reply: str, logprobs: Sequence[float]) -> float:
    """How many nats a word the order of a reply gains, to four decimals.

    Args:
        logprobs: of each text of `orders`, in nats.
    """
    words = len(_WORD.findall(plain(reply)[:MOST_CHARACTERS]))
    return round((logprobs[0] - mean(logprobs[1:])) / words, 4)


def _shuffled(words: Sequence[str], chooser: Random) -> list[str]:
    # by `random()` alone, the one method whose numbers no later Python may change
    return [word for _, word in sorted((chooser.random(), word) for word in words)]


def _gap(before: re.Match[str], after: re.Match[str]) -> str:
    """A space, but for two words that touch of which one is a character of a script without spaces."""
    touch = before.end() == after.start() and any(_SPACELESS.match(word.group()) for word in (before, after))
    return "" if touch else " "


def _joined(words: Sequence[str], gaps: Sequence[str]) -> str:
    return "".join(word + gap for word, gap in zip(words, [*gaps, ""], strict=True))
