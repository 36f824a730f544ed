"""Unicode's normal form NFKC, in which characters that look alike are equal, in linear time."""

from __future__ import annotations

import unicodedata
from itertools import groupby, islice

MOST_MARKS = 30
"""Combining marks kept in a row, as in Unicode's stream-safe text format (UAX 15); sorting more takes quadratic time."""


def nfkc(text: str) -> str:
    """The text in NFKC, with at most MOST_MARKS combining marks on one letter."""
    if text.isascii():
        return text
    runs = groupby(text, key=lambda character: unicodedata.combining(character) > 0)
    safe = ("".join(islice(run, MOST_MARKS)) if marks else "".join(run) for marks, run in runs)
    return unicodedata.normalize("NFKC", "".join(safe))
