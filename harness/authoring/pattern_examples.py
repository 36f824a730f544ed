"""A regular expression in, texts out that it may match: simple ones, each to be tried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

MOST = 50
"""So many examples of one pattern are tried, and of a pattern a hundred times as many characters."""

_AROUND = re.compile(r"\(\?<?[=!](?:\\.|\[(?:\\.|[^\]\\])*\]|[^()\\\[])*\)")
_EMPTY = re.compile(r"\(\?[a-zA-Z]+\)|\\[bBAZ]|\\[WsS][*?]|\[[^\]]{0,40}\][*?]|(?<!\\)[\^$]|(?<!\\)\.[*+]\??")
_GROUP = re.compile(r"\(\?(?::|P<\w+>)|[()]")
_CLASS = re.compile(r"\[([^\]\\^])[^\]]*\]|\\\[|\\\]")
_SYNTAX = re.compile(r"\\.|[\^$.*+?()\[\]{}|<>=!:]")
_LEFT = re.compile(r"[*?+|^\\(){}]")
"""What is seldom part of an example: rather of a pattern that was not understood."""
_ESCAPED = re.compile(r"\\([^\w\s]| )")


def examples(pattern: str) -> Iterator[str]:
    """Texts that a pattern may match: without lookaround, anchors and optional parts, else its literal pieces."""
    pattern = pattern[: 100 * MOST]
    found = dict.fromkeys(text for text in _candidates(pattern) if text)
    yield from islice(sorted(found, key=lambda text: _LEFT.search(text) is not None), MOST)


def _candidates(pattern: str) -> Iterator[str]:
    bare = _EMPTY.sub("", _AROUND.sub("", pattern))
    for choice in _GROUP.sub("|" if "|" in bare else "", bare).split("|"):
        plain = _CLASS.sub(lambda found: found[1] or found[0], choice)
        yield _ESCAPED.sub(r"\1", re.sub(r"(\\?.)[?*]", "", plain)).strip()
        yield _ESCAPED.sub(r"\1", re.sub(r"(?<!\\)[?*+]", "", plain)).strip()
    yield from (piece.strip() for piece in _SYNTAX.split(pattern.replace(r"\ ", " ")))
