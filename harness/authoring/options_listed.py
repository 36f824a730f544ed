"""A question in, the options that it lists out: `sun, fire or ice`, `A) sun B) fire`, else its names and things."""

from __future__ import annotations

import re

MOST_CHARACTERS = 1_000
"""Longer questions hold a text to read, whose lists are no options."""

MOST_WORDS = 4
"""Longer pieces are clauses, not options."""

_SENTENCE = re.compile(r"[^.?!\n]+")
_OR = re.compile(r",\s*(?:or|and)\s+|\s+(?:or|oder|ou|o|of)\s+(?:the\s+|an?\s+)?|,\s*")
_LETTERED = re.compile(r"(?:^|\s)\(?[A-Ha-h][.)]\s+(\S[^\n]*?)(?=\s+\(?[A-Ha-h][.)]\s|\n|$)")
_THING = re.compile(r"\b(?:[Aa]n?|[Tt]he) ([a-z]+)\b(?<!est)|\b([A-Z][a-z]+)\b")
_NO_OPTION = frozenset(
    re.findall(
        r"\w+",
        "A An At Behind By Does Find For From Here How If In Is It Name Nobody Of On One Say She He They Sort Tell The Then There "
        "These This To Today What When Where Which Who Whose Why With",
    )
)


def options(question: str, things: bool = True) -> tuple[str, ...]:
    """The options that a question lists, in its order; empty if it lists none.

    Args:
        things: whether the names and things in it will do where there is no list.
    """
    if len(question) > MOST_CHARACTERS:
        return ()
    lettered = tuple(option.strip(" .,;?") for option in _LETTERED.findall(question))
    if len(lettered) > 1:
        return lettered
    for sentence in _SENTENCE.findall(question):
        if listed := _listed(sentence):
            return listed
    if not things:
        return ()
    named = dict.fromkeys(thing or name for thing, name in _THING.findall(question) if name not in _NO_OPTION)
    return tuple(named) if len(named) > 1 else ()


def _listed(sentence: str) -> tuple[str, ...]:
    """The options of one sentence: after its colon if it has one, else those around its `or`."""
    before, colon, after = sentence.rpartition(":")
    if not colon and not re.search(r"\s(?:or|oder|ou)\s", sentence):
        return ()
    pieces = [piece.strip(" \"'“”") for piece in _OR.split(after if colon else sentence) if piece.strip()]
    if len(pieces) < 2 or (colon and not before.strip()):
        return ()
    if not colon:  # the first and the last are part of the sentence: `Is water or ice colder`
        middle = pieces[1:-1] or pieces[:1]
        size = max(1, min(len(piece.split()) for piece in middle)) if len(pieces) > 2 else 1
        pieces[0] = " ".join(pieces[0].split()[-size:])
        pieces[-1] = " ".join(pieces[-1].split()[:size])
    return tuple(dict.fromkeys(pieces)) if all(len(piece.split()) <= MOST_WORDS for piece in pieces) else ()
