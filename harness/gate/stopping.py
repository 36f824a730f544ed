"""The pairs that were asked until it was decided in, a Comparison whose intervals allow for that out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scipy.special import ndtr

from harness.gate.compare import Comparison, Pair, compare
from harness.stats.clusters import student_quantile
from harness.stats.ratio import share_lost_interval
from harness.stats.sequential import LEVEL, betting_interval, boundaries, look_sizes, repeated_interval

ALL_ASKED = "all asked"


@dataclass(frozen=True)
class Stop:
    """Where the asking of a suite stopped.

    Attributes:
        asked: the ids of the probes, in the order asked.
        of: how many there were to ask.
        look: the look at which it stopped, from 1; None if a bet was won between two looks.
        why: such as "retained at look 1" or "hopeless after 32 probes", or `ALL_ASKED`.
    """

    asked: tuple[str, ...]
    of: int
    look: int | None
    why: str = ""

    @property
    def early(self) -> bool:
        """Whether some probes were not asked."""
        return self.why != ALL_ASKED

    @property
    def looks(self) -> tuple[int, ...]:
        """After how many probes each look comes."""
        return look_sizes(self.of)

    @property
    def described(self) -> str:
        return f"asking stopped after {len(self.asked)} of {self.of} probes"


def compare_at(pairs: Sequence[Pair], stop: Stop) -> Comparison:
    """Compare the pairs asked so far, in the order asked, with intervals that hold at all looks, or bets, together.

    At a look, the intervals reach to its boundary, on counts divided by the design effect. Between two, the drop's holds
    every margin that no bettor grew rich against; the logarithm of a capital is divided by the design effect.

    Raises:
        NoEvidenceError: there are no pairs, or some lack a baseline.
    """
    found = compare(pairs)
    if stop.look is None:
        differences = [{"lost": 1, "gained": -1}.get(pair.change or "", 0) for pair in pairs]
        return replace(found, interval=betting_interval(differences, LEVEL**found.design_effect), loss=None)
    reach = boundaries(tuple(n / stop.of for n in stop.looks))[stop.look - 1]
    if found.clusters is not None and found.clusters > 1:
        reach = student_quantile(found.clusters - 1, 2 * float(ndtr(reach)) - 1)
    kept, lost, gained, n = (
        count / found.design_effect for count in (found.kept, found.lost, found.gained, found.n)
    )
    loss = None if found.loss is None else share_lost_interval(kept, lost, gained, n, quantile=reach)
    return replace(found, interval=repeated_interval(lost, gained, n, reach), loss=loss, reach=reach)
