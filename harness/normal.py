"""Text in, its normal form out, in linear time: Unicode's NFKC, in which letters and marks that look alike are alike."""

from __future__ import annotations

import unicodedata
from itertools import groupby, islice

MOST_MARKS = 30
"""Combining marks in a row that are read, as in Unicode's stream-safe text (UAX 15); to sort more takes ever longer."""


def nfkc(text: str) -> str:
    """The text in NFKC; of more than MOST_MARKS marks on one letter, the first."""
    if text.isascii():
        return text
    runs = groupby(text, key=lambda character: unicodedata.combining(character) > 0)
    safe = ("".join(islice(run, MOST_MARKS)) if marks else "".join(run) for marks, run in runs)
    return unicodedata.normalize("NFKC", "".join(safe))
