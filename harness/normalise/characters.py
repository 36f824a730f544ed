"""Characters that look alike made equal: NFKC, dashes, quotes, superscripts, invisible characters; in linear time."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby, islice

MOST_MARKS = 30
"""Combining marks kept in a row, as in Unicode's stream-safe text format (UAX 15); sorting more takes quadratic time."""

MOST = 100_000
"""Characters to which NFKC may lengthen a text: some ligatures are eighteen, and no answer needs that many of them."""

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]")
_VULGAR = re.compile("(?<=\\d)(?=[\u00bc-\u00be\u2150-\u215e\u2189])")
_SUPERSCRIPTS = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207a\u207b"
_SUPERSCRIPT = re.compile(f"(?<=[\\w)])(?<![{_SUPERSCRIPTS}])(?=[{_SUPERSCRIPTS}])")
_BASE = re.compile("(?<=[0-9])[\u2080-\u2089]+")
_DEGREE = re.compile("(?<=\\d)( ?)\u00ba")
_MINUS = re.compile("(?<![\\w)])(?<![\\w)] )\u2212 ?(?=[\\d.$€£])")
_ALIKE = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-"),
        **dict.fromkeys("\u2014\u2015", " - "),
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u2039\u203a", "'"),
        **dict.fromkeys(
            "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\u300c\u300d\u300e\u300f\u300a\u300b", '"'
        ),
        "\u3002": ".",
        "\u3001": ",",
        "\u2044": "/",
        "\u2215": "/",
    }
)
"""Dashes and minus signs, quotes, and the full stop and comma of Chinese and Japanese."""


def nfkc(text: str) -> str:
    """The text in NFKC, with at most MOST_MARKS combining marks on one letter."""
    if text.isascii():
        return text
    runs = groupby(text, key=lambda character: unicodedata.combining(character) > 0)
    safe = ("".join(islice(run, MOST_MARKS)) if marks else "".join(run) for marks, run in runs)
    return unicodedata.normalize("NFKC", "".join(safe))


def alike(text: str) -> str:
    """The text in which characters that readers take for the same are the same.

    On top of NFKC: every hyphen, en dash and minus is `-`, an em dash a `-` between spaces; quotes are straight; a raised 2 is
    `^2` and a half after a digit ` 1/2`, which NFKC would glue to the digit before; a small 10 below one, for base ten, is gone,
    as invisible characters are.
    """
    if text.isascii():
        return text
    text = _INVISIBLE.sub("", text)
    text = _VULGAR.sub(" ", text)
    text = _SUPERSCRIPT.sub("^", text)
    text = _BASE.sub("", text)
    text = _DEGREE.sub("\\1°", text)
    text = _MINUS.sub("-", text)
    return nfkc(text.translate(_ALIKE))[: max(len(text), MOST)].translate(_ALIKE)
