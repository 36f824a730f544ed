"""Chances of single asks in, how often a checklist is red out: exact, by enumeration.

A probe of a checklist that is lost is asked again: in another batch shape, and in each of its other words. It counts as lost if
it is lost in more than half of the asks that the baseline answers right. A lost critical probe fails its suite; of the others,
two do.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.special import bdtrc

from harness.errors import NoEvidenceError


def lost_by_majority(asks: int, loss_rate: float) -> float:
    """How likely a probe is lost when first asked and in more than half of all asks.

    Asks are taken as independent. Those of a model that lost the probe are not: they go together, so take 1 for it; and
    those of an unchanged model may go together a little, which makes this too small.

    Args:
        asks: how many asks the baseline answers right: 1 + 1 + the number of the probe's other words, if it answers all of
            them. If it answers fewer, chance loses the probe more often: at a rate of 0.05, 0.0004 of the time with 4 asks,
            0.0049 with 3, and 0.0025 with the 2 that are left if it answers none of the other words.
        loss_rate: how likely one ask finds it lost: half the flip rate of an unchanged model.

    Raises:
        NoEvidenceError: there is no ask, or the rate is no probability.
    """
    if asks < 1 or not 0 <= loss_rate <= 1:
        raise NoEvidenceError(f"no chance of a majority of {asks} asks at a rate of {loss_rate}")
    if asks == 1:
        return loss_rate
    # With the first, more than half of the asks need asks // 2 of the others.
    return loss_rate * float(bdtrc(asks // 2 - 1, asks - 1, loss_rate))


def chance_red(critical: Iterable[float], others: Iterable[float]) -> float:
    """How likely a suite's checklist fails: one critical probe is lost, or two of the others.

    Args:
        critical, others: how likely each probe is lost, independently of the rest.
    """
    none_critical = float(np.prod([1 - chance for chance in critical]))
    none, one = 1.0, 0.0  # that none, and that exactly one, of the others so far is lost
    for chance in others:
        none, one = none * (1 - chance), one * (1 - chance) + none * chance
    return min(max(1 - none_critical * (none + one), 0.0), 1.0)
