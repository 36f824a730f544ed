"""A number of words and a random generator in, that many words of plain sentences out.

The haystack around a needle: sentences about a village, made from parts, that answer no question of any suite.
"""

from __future__ import annotations

import random

_WHO = (
    "The baker", "An old sailor", "The teacher", "A young gardener", "The postman", "Her neighbour", "The carpenter",
    "A quiet student", "The mayor", "A travelling painter", "The shepherd", "Their cousin", "The librarian",
)  # fmt: skip
_DID = (
    "walked slowly past", "cleaned the windows of", "waited for an hour beside", "told a long story about",
    "painted the front of", "carried a basket towards", "asked twice about", "sat down behind", "took a photograph of",
    "left a note inside", "remembered the summer at", "swept the steps of", "drew a small map of",
)  # fmt: skip
_WHAT = (
    "the stone bridge", "the market hall", "the school yard", "the blue boat", "the railway station", "the old mill",
    "the apple orchard", "the harbour wall", "the town clock", "the empty theatre", "the garden gate", "the tall lighthouse",
)  # fmt: skip
_WHEN = (
    "before breakfast", "on a rainy afternoon", "while the bells were ringing", "without saying a word", "as usual",
    "because the shop was closed", "until the lamps were lit", "in the last week of autumn", "with great patience",
    "and nobody was surprised", "although it was getting late",
)  # fmt: skip


def filler(words: int, chance: random.Random) -> str:
    """Sentences with at least `words` words in all, and at most a sentence more; "" for none."""
    sentences: list[str] = []
    length = 0
    while length < words:
        parts = (chance.choice(_WHO), chance.choice(_DID), chance.choice(_WHAT), chance.choice(_WHEN))
        sentences.append(" ".join(parts) + ".")
        length += len(sentences[-1].split())
    return " ".join(sentences)
