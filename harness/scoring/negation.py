"""A text in, the text without what it denies out: "not Paris", "isn't in Rome", "sugar instead of salt"."""

from __future__ import annotations

import re
from functools import lru_cache

_DENIES = (
    r"(?:(?<!\w)(?:(?:is|are|was|were|am|be|been|has|have|had|it's|that's|he's|she's|they're|and|but|or|why|definitely|certainly) (?:not|never)"
    r"|(?:is|are|was|were|ai)n't|nor|neither|rather than|instead of|(?<!none )other than|as opposed to)|(?<!\w )(?<!\w)(?:not|unlike))(?!\w)"
)
_EXCEPT = (
    r"only|just|merely|simply|until|before|surprisingly|to mention|unlike|sure|certain|exactly|necessarily"
)
_SMALL = (
    r"(?:think|believe)(?: that)? (?:it(?:'s| is| was)|they are)|a|an|the|in|on|at|of|from|by|to|be|been|have|has|had|any|"
    r"called|named|really|actually|my|your|his|her|their|its|our|mr\.?|mrs\.?|dr\.?|st\.?|use|used"
)
_ENDS = (
    r"it|it's|its|they|they're|he|she|we|you|i|but|and|because|since|is|are|was|were|so|then|therefore|instead|that|which|who|"
    r"as|or|answer|than|if|when|while|although|though|for|with|without"
)
_DENIED = re.compile(
    rf"{_DENIES}(?! (?:{_EXCEPT})(?!\w))((?: (?:{_SMALL})(?!\w)){{0,3}}(?: (?!(?:{_ENDS})(?![\w']))[$\"'({{\[`-]{{0,3}}[\w.,:'-]{{0,40}}\w){{1,3}})",
    re.IGNORECASE,
)


@lru_cache(maxsize=16)
def without_denied(text: str) -> str:
    """The text without up to three words that follow `is not`, `isn't`, `, not`, `nor`, `instead of` and the like.

    Words such as `the` and `in` do not count towards the three; `not only`, `not until` and `not sure` deny nothing that
    follows, nor does the `not` of a verb: "do not touch the stove" is about the stove. In English alone; in linear time.
    """
    return _DENIED.sub(lambda found: found.group()[: -len(found[1])], text)


def denies(text: str) -> bool:
    """Whether a text is a denial itself, as an expected answer may be: "not guilty"."""
    return re.search(_DENIES, text, re.IGNORECASE) is not None
