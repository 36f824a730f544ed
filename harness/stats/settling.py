"""An undecided comparison in, how many more probes decide it, and how surely, out: exact, by enumeration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.errors import NoEvidenceError
from harness.stats.paired import (
    CONFIDENCE,
    ROUNDING,
    Counts,
    check_counts,
    normal_quantile,
    smallest,
    tango_z,
)
from harness.stats.power import POWER, power


@dataclass(frozen=True)
class _Together:
    """Whether the interval of these counts and those before is above the margin, or with `or_astride` not below it."""

    lost: int
    gained: int
    n: int
    margin: float
    or_astride: bool

    def fails(self, lost: Counts, gained: Counts, n: int) -> NDArray[np.bool_]:
        z = tango_z(self.lost + lost, self.gained + gained, self.n + n, self.margin + ROUNDING)
        quantile = normal_quantile(CONFIDENCE)
        return z > (-quantile if self.or_astride else quantile)


def probability_settled(lost: int, gained: int, n: int, margin: float, more: int) -> float:
    """How likely `more` probes, flipping at the observed rates, put the whole interval on one side of `margin`.

    Raises:
        NoEvidenceError: the counts do not fit `n`, or the margin lies outside [0, 1).
    """
    check_counts(lost, gained, n)
    if not 0 <= margin < 1:
        raise NoEvidenceError(f"a margin lies within 0 and 1, saw {margin}")
    above, not_below = (_Together(lost, gained, n, margin, or_astride) for or_astride in (False, True))
    if more == 0:
        none = np.zeros(1, dtype=np.int64)
        return float(above.fails(none, none, 0)[0] or not not_below.fails(none, none, 0)[0])
    drop, gain_rate = (lost - gained) / n, gained / n
    return power(more, drop, gain_rate, above) + 1 - power(more, drop, gain_rate, not_below)


def more_to_settle(lost: int, gained: int, n: int, margin: float, most: int = 20_000) -> int | None:
    """How many more probes put the whole interval on one side of `margin` with power POWER, to 2 %.

    Counts are whole numbers, so a few fewer may do as well.

    Returns:
        None where not even `most` do, as when the observed drop is the margin itself.

    Raises:
        NoEvidenceError: the counts do not fit `n`, or the margin lies outside [0, 1).
    """

    def settled(more: int) -> bool:
        return probability_settled(lost, gained, n, margin, more) >= POWER

    return 0 if settled(0) else smallest(settled, 1, most, precision=0.02)
