"""The rows of probes in, the lost ones that tell most out.

Critical probes come first, then those of whose answer the baseline was surest and from which the tuned model is furthest; one of
each suite comes before a second of any.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from math import exp

from harness.reporting.rows import AnswerRow, ProbeRow

MOST_WORDS = 100
"""Words of an answer that are compared."""
MOST_READ = 2_000
"""Characters in which they are looked for."""
CUT = 0.5
"""What an answer that was cut off counts, of one that the baseline ended itself."""

_WORD = re.compile(r"\w+")


def most_telling(rows: Sequence[ProbeRow], most: int = 5) -> list[ProbeRow]:
    """The most telling of the lost probes; the order of the rows decides between equals."""
    lost = [row for row in rows if row.change == "lost" and row.baseline is not None]
    lost.sort(key=lambda row: (row.severity != "critical", -distance(row)))
    seen: Counter[tuple[bool, str]] = Counter()
    ranked: list[tuple[bool, int, ProbeRow]] = []
    for row in lost:
        key = row.severity != "critical", row.suite
        ranked.append((key[0], seen[key], row))
        seen[key] += 1
    ranked.sort(key=lambda entry: entry[:2])
    return [row for *_, row in ranked[:most]]


def distance(row: ProbeRow) -> float:
    """How sure the baseline was and how far off the tuned model is, from 0 to 1.

    Of a choice, the probability of right answers that was lost; of a text, the share of words that both do not have in common.
    """
    assert row.baseline is not None, "a lost probe has both answers"
    before, after = (_probability(row, side) for side in (row.baseline, row.tuned))
    if before is not None and after is not None:
        return max(0.0, before - after)
    first, second = (_words(side.answer) for side in (row.baseline, row.tuned))
    apart = 1 - len(first & second) / len(first | second) if first | second else 0.0
    return apart * (CUT if row.baseline.ended == "limit" else 1.0)


def _probability(row: ProbeRow, side: AnswerRow) -> float | None:
    """How likely a model finds the right choices, among all."""
    if side.kind != "choose" or not side.logprobs or len(side.logprobs) != len(row.choices):
        return None
    top = max(side.logprobs)
    weights = [exp(logprob - top) for logprob in side.logprobs]
    right = sum(weight for weight, choice in zip(weights, row.choices, strict=True) if choice in row.expected)
    return right / sum(weights)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text[:MOST_READ].casefold())[:MOST_WORDS])
