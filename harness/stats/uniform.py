"""Which of several equal places was taken, of many draws in; the probability of so uneven a choice by chance out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from scipy.special import chdtrc, ndtr


def places_p_value(drawn: Sequence[tuple[int, int]]) -> float:
    """The p-value of Pearson's chi-square test that every place was as likely, of (place from 0, number of places) pairs.

    Draws of the same number of places are one table; the statistics and the degrees of freedom of the tables are added.
    Tables with fewer than five draws a place are left out (Cochran's rule); 1.0 if none is left.
    """
    statistic, freedom = 0.0, 0
    tables: dict[int, Counter[int]] = {}
    for place, places in drawn:
        tables.setdefault(places, Counter())[place] += 1
    for places, table in tables.items():
        expected = table.total() / places
        if places > 1 and expected >= 5:
            statistic += sum((table[place] - expected) ** 2 / expected for place in range(places))
            freedom += places - 1
    return float(chdtrc(freedom, statistic)) if freedom else 1.0


def extreme_p_value(drawn: Sequence[tuple[bool, int, int]]) -> float:
    """The two-sided p-value of how often the drawn of several is the largest of them, if each is drawn as likely.

    Args:
        drawn: of each draw, whether it is the largest, how many tie for the largest, and of how many was drawn. One of
            m that tie counts 1/m, so that a tie neither favours nor puts down.

    Returns:
        That of the normal approximation; 1.0 for nothing drawn.
    """
    observed = sum(largest / ties for largest, ties, _ in drawn)
    expected = sum(1 / of for _, _, of in drawn)
    variance = sum(1 / (ties * of) - 1 / of**2 for _, ties, of in drawn)
    return float(2 * ndtr(-abs(observed - expected) / variance**0.5)) if variance > 0 else 1.0
