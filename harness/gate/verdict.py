"""Compare an interval with a margin: a Comparison and a gate in, a verdict out.

RETAINED      the whole interval is at or below the margin
FORGOTTEN     the whole interval is above it
INCONCLUSIVE  it straddles the margin: the suite is too small to tell
VACUOUS       nothing to lose: a total loss would be within the margin, or the baseline only guesses

A gate with two margins, of points and of the share of what the baseline knew, is RETAINED if both are, and FORGOTTEN if
either is.
"""

from __future__ import annotations

from typing import Literal

from harness.gate.compare import Comparison, FlipRate, Rise
from harness.gate.pooling import Pooled
from harness.stats.paired import ROUNDING, least_to_retain
from harness.suites.suite import MarginGate
from harness.wording import count, points

MARGIN = 0.10
"""The default largest acceptable drop, a fraction."""

LEAST_TEXTS = 2
"""A mean of fewer has no interval."""

Verdict = Literal["RETAINED", "FORGOTTEN", "INCONCLUSIVE", "VACUOUS"]


def judge(comparison: Comparison | Pooled, margin: float) -> Verdict:
    """The verdict on a drop: its interval compared with `margin` (a fraction)."""
    return (
        "VACUOUS" if comparison.baseline_accuracy <= margin + ROUNDING else _side(comparison.interval, margin)
    )


def judge_gate(comparison: Comparison, gate: MarginGate) -> Verdict:
    """The verdict on a slice, by both margins of its gate."""
    if nothing_to_lose(comparison, gate):
        return "VACUOUS"
    sides = {_side(comparison.interval, gate.max_drop)}
    if comparison.loss is not None and gate.max_loss < 1:
        sides.add(_side(comparison.loss, gate.max_loss))
    return next((side for side in ("FORGOTTEN", "INCONCLUSIVE") if side in sides), "RETAINED")


def judge_rise(rise: Rise, margin: float) -> Verdict:
    """The verdict on the mean rise of bits per byte."""
    return _side(rise.interval, margin)


def judge_flips(flips: FlipRate, comparison: Comparison, margin: float) -> Verdict:
    """The verdict on the share of answers that flip; those of models that know nothing cannot."""
    side = _side(flips.interval, margin)
    vacuous = side == "RETAINED" and comparison.baseline_accuracy <= margin + ROUNDING
    return "VACUOUS" if vacuous else side


def over(comparison: Comparison, gate: MarginGate) -> bool:
    """Whether what was observed is over a margin of the gate."""
    return (
        comparison.drop > gate.max_drop + ROUNDING
        or comparison.share_lost > gate.max_loss + ROUNDING
    )  # fmt: skip


def nothing_to_lose(comparison: Comparison, gate: MarginGate) -> bool:
    """Whether the baseline is right so rarely that a total loss would be within the margin, or could not be shown."""
    # without a margin of what it knew (0), a single right answer can be lost
    known = least_to_retain(gate.max_loss, comparison.quantile) or 1
    few = gate.max_loss >= 1 or comparison.baseline_right < known
    return few and comparison.baseline_accuracy <= gate.max_drop + ROUNDING


def shortfall(comparison: Comparison, gate: MarginGate) -> tuple[int, str] | None:
    """How many probes are missing for a RETAINED to be possible, and the reason in words; None if none are.

    A gate without a margin (0) can never be RETAINED, but may fail, so it lacks nothing; nor does a VACUOUS one.
    """
    n, known, quantile = comparison.n, comparison.baseline_right, comparison.quantile
    needed = least_to_retain(gate.max_drop, quantile)
    if needed is not None and n < needed:
        of = "" if comparison.clusters is None else f" in {count(comparison.clusters, 'cluster')}"
        margin = f"a margin of {points(gate.max_drop)} points"
        return needed - n, f"not gated, {count(n, 'probe')}{of}: {margin} needs {needed}"
    needed = least_to_retain(gate.max_loss, quantile) if gate.max_loss < 1 else None
    if needed is not None and known < needed and not nothing_to_lose(comparison, gate):
        text = f"not gated, the baseline knew {known} of {count(n, 'probe')}: "
        text += f"a loss of at most {points(gate.max_loss)} % of that needs {needed}"
        return _more(needed, known, n), text
    return None


def _more(needed: int, known: int, n: int) -> int:
    """How many more probes it takes to know `needed`, at the rate known so far."""
    return needed * n // known + 1 - n if known else needed


def _side(interval: tuple[float, float], margin: float) -> Verdict:
    low, high = interval
    if high <= margin + ROUNDING:
        return "RETAINED"
    return "FORGOTTEN" if low > margin + ROUNDING else "INCONCLUSIVE"
