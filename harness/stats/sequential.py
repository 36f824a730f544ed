"""Looks at a growing comparison in, where each look may stop, and how often it will, out.

A comparison is looked at a few times on the way to all its probes. At look k its score at the margin (`tango_z`) is held
against the boundary c_k: at least c_k is FORGOTTEN, at most -c_k RETAINED, and each side is wrong in `level` of runs at most,
all looks together. Probes come in random order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, ndtr, ndtri, xlogy

from harness.errors import NoEvidenceError
from harness.stats.paired import ROUNDING, check_counts, score_interval, tango_z
from harness.stats.root import root

Array = NDArray[np.float64]

LOOKS = 4
LEVEL = 0.05
"""How often each side may be wrong."""

FAR = 9.0
"""Standard deviations beyond which a normal distribution is taken to end."""

LEAST_STEP = 1e-3
"""The share of the information that lies between two looks at least; finer ones take too much integration."""

POINTS, WEIGHTS = leggauss(16)


def look_sizes(n: int) -> tuple[int, ...]:
    """After how many probes to look: equal steps, rounded up, each once; the last is `n`.

    Raises:
        NoEvidenceError: for no probes.
    """
    if n < 1:
        raise NoEvidenceError(f"{LOOKS} looks at {n} probes decide nothing")
    return tuple(sorted({-(-n * look // LOOKS) for look in range(1, LOOKS + 1)}))


def spent(fraction: float, level: float = LEVEL) -> float:
    """How much of `level` may be spent by `fraction` of the information, one-sided: little early, all at 1.

    2 - 2 Phi(z / sqrt(fraction)) with z the upper level / 2 quantile: the spending function that follows O'Brien and
    Fleming's boundaries (Lan and DeMets 1983, Biometrika 70, 659-663).
    """
    return float(2 * ndtr(ndtri(level / 2) / np.sqrt(fraction)))


@lru_cache(maxsize=256)
def boundaries(fractions: tuple[float, ...], level: float = LEVEL) -> tuple[float, ...]:
    """The boundary of each look, in standard deviations, so that by look k `spent(fractions[k], level)` is spent.

    Scores of a null at its edge are a Brownian motion seen at `fractions`; the chance to cross first at look k is integrated
    over the scores that crossed none before (Armitage, McPherson and Rowe 1969, JRSS A 132, 235-244; Jennison and
    Turnbull 2000, Group Sequential Methods, ch. 19), by Gauss and Legendre's rule over pieces that resolve the finest
    step. Stopping on the other side too only makes an error rarer.

    Args:
        fractions: rising shares of the information, the last at most 1: n at the look over n in all.

    Returns:
        Infinity for a look that comes too early to spend anything.

    Raises:
        NoEvidenceError: fractions that do not rise by 0.001 each within 0 and 1, or a level that is no chance.
    """
    _check_fractions(fractions, level)
    # The scores that crossed nothing yet, in units of the root of all information: nodes and how likely each is.
    nodes, mass, before, used = np.zeros(1), np.ones(1), 0.0, 0.0
    finest = np.sqrt(min(after - before for before, after in pairwise([0.0, *fractions])))
    found = []
    for fraction in fractions:
        step, reach = np.sqrt(fraction - before), FAR * np.sqrt(fraction)
        due = spent(fraction, level) - used
        edge = _edge(nodes, mass, step, reach, due)
        found.append(float(edge / np.sqrt(fraction)))
        if edge < np.inf:
            used += due
        nodes, mass = _carried(nodes, mass, step, *_grid(-reach, min(edge, reach), finest))
        before = fraction
    return tuple(found)


def _edge(nodes: Array, mass: Array, step: float, reach: float, due: float) -> float:
    """Above which score the chance `due` lies."""

    def too_much(edge: float) -> float:
        return float(mass @ ndtr((nodes - edge) / step)) - due

    return root(too_much, -reach, reach, xtol=1e-12) if too_much(reach) < 0 else np.inf


def _grid(low: float, high: float, finest: float) -> tuple[Array, Array]:
    """Nodes between `low` and `high` and their weights, in pieces of some standard deviations of the finest step."""
    edges = np.linspace(low, high, 1 + int(np.ceil((high - low) / (3 * finest))))
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (POINTS + 1)).ravel(), (half * WEIGHTS).ravel()


def _carried(nodes: Array, mass: Array, step: float, scores: Array, weights: Array) -> tuple[Array, Array]:
    """The chances at `nodes`, one step further, at `scores`."""
    density = np.exp(-0.5 * ((scores[:, None] - nodes) / step) ** 2)  # shape (scores, nodes)
    return scores, weights * (density @ mass) / (step * np.sqrt(2 * np.pi))


def repeated_interval(lost: float, gained: float, n: float, boundary: float) -> tuple[float, float]:
    """Tango's interval with a look's boundary for a quantile: it holds at all looks together.

    (Jennison and Turnbull 1989, JRSS B 51, 305-361.) It is -1 to 1 at a look that cannot decide.

    Raises:
        NoEvidenceError: the counts are no comparison.
    """
    check_counts(lost, gained, n)
    if boundary == np.inf:
        return -1.0, 1.0
    return score_interval(lambda d0: tango_z(lost, gained, n, d0), (lost - gained) / n, boundary)


@dataclass(frozen=True)
class Course:
    """What becomes of a comparison that is looked at on the way, in chances.

    Attributes:
        retained, forgotten: the chance of each by look, shape (looks,).
        undecided: the chance that not even the last look decides.
        expected_n: how many probes are asked on average.
    """

    retained: tuple[float, ...]
    forgotten: tuple[float, ...]
    undecided: float
    expected_n: float


def course(
    looks: Sequence[int], margin: float, drop: float, gain_rate: float, level: float = LEVEL
) -> Course:
    """What becomes of a comparison at a true drop, by enumeration of every outcome at every look.

    Args:
        looks: after how many probes, rising (`look_sizes`).
        margin, drop: fractions.
        gain_rate: how likely each probe is gained; it is lost with drop + gain_rate.

    Raises:
        NoEvidenceError: looks that do not rise, or rates that are no probabilities.
    """
    lost_rate = drop + gain_rate
    if not (gain_rate >= 0 and lost_rate >= 0 and lost_rate + gain_rate <= 1 + 1e-12):
        raise NoEvidenceError(f"no outcome for drop={drop}, gain rate={gain_rate}")
    from scipy.signal import fftconvolve  # takes half a second to load

    bounds = boundaries(tuple(n / looks[-1] for n in looks), level)
    going = np.ones((1, 1))  # shape (lost + 1, gained + 1): the chance of these counts, undecided so far
    retained: list[float] = []
    forgotten: list[float] = []
    expected = 0.0
    for (before, n), bound in zip(pairwise([0, *looks]), bounds, strict=True):
        expected += (n - before) * float(going.sum())
        going = np.maximum(fftconvolve(going, _outcomes(n - before, lost_rate, gain_rate)), 0.0)
        lost, gained = np.indices(going.shape)
        z = tango_z(lost, gained, n, margin + ROUNDING)
        for reached, chances in ((z <= -bound, retained), (z >= bound, forgotten)):
            chances.append(float(going[reached].sum()))
            going[reached] = 0.0
    return Course(tuple(retained), tuple(forgotten), float(going.sum()), expected)


def _outcomes(n: int, lost_rate: float, gain_rate: float) -> Array:
    """The chance of each (lost, gained) of n probes, shape (n + 1, n + 1)."""
    lost, gained = np.indices((n + 1, n + 1))
    rest = n - lost - gained
    whole = np.maximum(rest, 0)
    log = (
        gammaln(n + 1) - gammaln(lost + 1) - gammaln(gained + 1) - gammaln(whole + 1)
        + xlogy(lost, lost_rate) + xlogy(gained, gain_rate)
        + xlogy(whole, max(1 - lost_rate - gain_rate, 0.0))
    )  # fmt: skip
    return np.where(rest >= 0, np.exp(log), 0.0)


def betting_capital(differences: ArrayLike, margin: float) -> Array:
    """What a bettor against "the mean drop is at most `margin`" holds after each probe, from a capital of 1.

    If the bet is on a truth, the capital ever reaches 1 / level with a chance of at most `level`, however long it goes on and
    whenever one looks (Ville's inequality), for probes in random order. Each stake is fixed before the probe's answer is
    known, as by Waudby-Smith and Ramdas's approximate growth-rate adaptive bettor (aGRAPA; 2024, JRSS B 86, 1-27):
    (mean - m) / (variance + (mean - m)^2), within 0 and 3 / (4 m), of the probes before it, with y = (1 + difference) / 2
    within 0 and 1, and m the margin on that scale. One right and one wrong guess stand before the first.

    Args:
        differences: 1 for a lost probe, -1 for a gained one, 0 for others; shape (..., probes), in the order asked.
        margin: a fraction, over -1 and below 1.

    Returns:
        The shape of `differences`.

    Raises:
        NoEvidenceError: there are no probes, values beyond -1 and 1, or no such margin.
    """
    x: Array = np.asarray(differences, dtype=np.float64)
    if not x.size or not (np.abs(x) <= 1).all() or not -1 < margin < 1:
        raise NoEvidenceError("a bet needs differences within -1 and 1, and a margin between them")
    y, m = (1 + x) / 2, (1 + margin) / 2
    seen = np.arange(1, x.shape[-1] + 1) + 1
    mean = (0.5 + y.cumsum(-1)) / seen
    variance = (0.25 + ((y - mean) ** 2).cumsum(-1)) / seen
    edge = _before(mean, 0.5) - m
    stake = np.clip(edge / (_before(variance, 0.25) + edge**2), 0.0, BOLDEST / m)
    growth: Array = 1 + stake * (y - m)
    return growth.cumprod(axis=-1)


BOLDEST = 0.75
"""The share of the capital that is staked at most."""


def betting_interval(differences: ArrayLike, level: float = LEVEL) -> tuple[float, float]:
    """The mean drops that no bettor grew rich against, and the observed one, as fractions (low, high), whenever one looks.

    Each side is wrong with a chance of at most `level`: a bet that the drop is larger has reached 1 / level at every margin
    below low, and a bet that it is smaller at every one above high.

    Args:
        differences: as for `betting_capital`, shape (probes,).

    Raises:
        NoEvidenceError: as for `betting_capital`.
    """
    x: Array = np.asarray(differences, dtype=np.float64)
    low, high, drop = _refuted_below(x, level), -_refuted_below(-x, level), float(x.mean())
    return min(low, drop), max(high, drop)


def _refuted_below(x: Array, level: float) -> float:
    """The margin up to which a bet that the drop is larger has been won."""

    def won(margin: float) -> float:
        return float(np.log(betting_capital(x, margin).max()) + np.log(level))

    nothing, total = 1e-6 - 1, 1 - 1e-6
    return root(won, nothing, total, xtol=1e-9) if won(nothing) > 0 else -1.0


def _before(values: Array, first: float) -> Array:
    """Each value one place later, so that a stake knows nothing of its own probe."""
    return np.concatenate([np.full_like(values[..., :1], first), values[..., :-1]], axis=-1)


def _check_fractions(fractions: Sequence[float], level: float) -> None:
    rising = all(after - before >= LEAST_STEP - ROUNDING for before, after in pairwise([0.0, *fractions]))
    if not fractions or not rising or not fractions[-1] <= 1 + ROUNDING:
        raise NoEvidenceError(
            f"looks must come at shares that rise by {LEAST_STEP:g} or more within 0 and 1, saw {list(fractions)}"
        )
    if not 0 < level < 1:
        raise NoEvidenceError(f"a level must lie between 0 and 1, saw {level}")
