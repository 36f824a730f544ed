"""What runs show in, which gates fail in each out: the gate's own rules over many runs at once, and other rules for comparison.

`harness.gate.decide` decides one run at a time. A test holds the rules marked as the gate's to what it decides; their constants,
p-values and intervals are its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from benchmarks.calibration.draw import Counts, Drawn
from benchmarks.calibration.shape import Array, Fails
from harness.gate.decide import LEVEL, LEVEL_OVERALL, MOST_LOST
from harness.gate.policy import MAX_DROP_OVERALL
from harness.stats.clusters import effective_mid_p, student_quantile
from harness.stats.multiple import holm
from harness.stats.paired import CONFIDENCE, ROUNDING, least_to_retain, normal_quantile
from harness.stats.ratio import ratio_z
from harness.stats.strata import stratified_z

Rule = Callable[[Drawn], Fails]

BEFORE = {"all": 0.10, "category": 0.20}
"""The margins of the shipped suites in the first version of the gate."""


# The gate over each slice


@dataclass(frozen=True)
class Standing:
    """The gates with a margin: which fail whatever the others show, and which are tested; the rest decide nothing."""

    bad: Fails
    tested: Fails


def standing(drawn: Drawn) -> Standing:
    """As `harness.gate.finding.find`."""
    shape, found = drawn.shape, drawn.gates
    lossy = shape.max_loss < 1
    known = _least(np.where(lossy, shape.max_loss, 0.0), shape.gates.quantile)
    few = ~lossy | (found.knew < known)
    vacuous = few & (found.knew / found.n <= shape.max_drop + ROUNDING)
    small = (found.n < _least(shape.max_drop, shape.gates.quantile)) | (few & lossy & ~vacuous)
    return Standing(vacuous & ~small, ~vacuous & ~small)


def _least(margins: Array, quantiles: Array) -> Array:
    pairs = zip(margins.tolist(), quantiles.tolist(), strict=True)
    return np.array([least_to_retain(margin, quantile) or 0 for margin, quantile in pairs])


def over(drawn: Drawn) -> Fails:
    """As `harness.gate.verdict.over`."""
    shape, found = drawn.shape, drawn.gates
    fails: Fails = (found.drop > shape.max_drop + ROUNDING) | (found.share_lost > shape.max_loss + ROUNDING)
    return fails


def slices(drawn: Drawn) -> Fails:
    """The gate's: slices over their margin whose loss is significant among all slices of the run; texts come last."""
    stands, texts = standing(drawn), _texts(drawn)
    p = np.concatenate(
        [effective_mid_p(drawn.gates.lost, drawn.gates.gained, drawn.gates.effect), texts.p], 1
    )
    tested = np.concatenate([stands.tested, np.broadcast_to(texts.tested, texts.p.shape)], 1)
    exceeds = np.concatenate([over(drawn), texts.over], 1)
    fails: Fails = tested & exceeds & (_holm(p, tested) <= LEVEL + ROUNDING)
    fails[:, : stands.bad.shape[1]] |= stands.bad
    return fails


def _holm(p: Array, tested: Fails) -> Array:
    """Holm's adjusted p-values, of each run among those that it tests."""
    adjusted = np.ones_like(p)
    families, of = np.unique(tested, axis=0, return_inverse=True)
    for number, family in enumerate(families):
        runs = np.ix_(np.flatnonzero(of.ravel() == number), family)
        adjusted[runs] = holm(p[runs])
    return adjusted


def observed(drawn: Drawn) -> Fails:
    """The gate's under `on_inconclusive: observed`."""
    stands, texts = standing(drawn), _texts(drawn)
    return np.concatenate([stands.bad | (stands.tested & over(drawn)), texts.tested & texts.over], 1)


def strict_slices(drawn: Drawn) -> Fails:
    """The gate's under `--strict`."""
    stands, texts = standing(drawn), _texts(drawn)
    return np.concatenate(
        [stands.bad | (stands.tested & ~retained(drawn)), texts.tested & ~texts.retained], 1
    )


def retained(drawn: Drawn) -> Fails:
    """Whether both intervals of each slice are within their margins."""
    shape, found = drawn.shape, drawn.gates
    quantile = shape.gates.quantile
    kept, lost, gained, n = (x / found.effect for x in (found.kept, found.lost, found.gained, found.n))
    z = ratio_z(kept, lost, gained, n, np.where(shape.max_loss < 1, 1 - shape.max_loss, 0.5))
    loss = (shape.max_loss >= 1) | (found.knew == 0) | (z >= quantile - ROUNDING)
    within: Fails = loss & (z_at(found, shape.max_drop) <= -quantile + ROUNDING)
    return within


def z_at(found: Counts, margins: Array) -> Array:
    """The score of each slice's drop at its margin, by its design effect."""
    z = np.empty_like(found.lost)
    for margin in np.unique(margins):
        own = margins == margin
        one = (..., own, None)  # each slice is one stratum
        z[:, own] = stratified_z(
            found.lost[one], found.gained[one], found.n[one], float(margin) + ROUNDING, found.effect[one]
        )
    return z


# The gate over texts


@dataclass(frozen=True)
class _Texts:
    """The gates over texts, shape (trials, gates) but for `tested`, shape (gates,)."""

    tested: Fails
    p: Array
    over: Fails
    retained: Fails


def _texts(drawn: Drawn) -> _Texts:
    """As `harness.gate.compare.rise`."""
    of, ratios = drawn.shape.of_texts, drawn.ratios.T
    n = np.asarray(of.sum(axis=1), dtype=np.float64)
    degrees = np.maximum(n - 1, 1)
    mean = (of @ ratios).T / np.maximum(n, 1)
    variance = ((of @ ratios**2).T - n * mean**2) / degrees
    error = np.sqrt(np.maximum(variance, 1e-18) / np.maximum(n, 1))
    margin = drawn.shape.max_rise + ROUNDING
    high = mean + stdtrit(degrees, (1 + CONFIDENCE) / 2) * error
    return _Texts(n >= 2, stdtr(degrees, -mean / error), np.expm1(mean) > margin, np.expm1(high) <= margin)


# The gate over all suites


def overall(drawn: Drawn) -> Fails:
    """The gate's: over 3 points and significant by itself."""
    found = drawn.strata
    lost, gained = ((x / found.effect).sum(1) for x in (found.lost, found.gained))
    significant = effective_mid_p(lost, gained) <= LEVEL_OVERALL + ROUNDING
    fails = (_pooled_drop(found) > MAX_DROP_OVERALL + ROUNDING) & significant
    return _if_pooled(drawn, fails | _nothing_to_lose(found))


def strict_overall(drawn: Drawn) -> Fails:
    """The gate's under `--strict`."""
    found = drawn.strata
    z = stratified_z(found.lost, found.gained, found.n, MAX_DROP_OVERALL + ROUNDING, found.effect)
    return _if_pooled(drawn, (z > -_pooled_quantile(drawn)) | _nothing_to_lose(found))


def _pooled_drop(found: Counts) -> Array:
    drop: Array = (found.lost - found.gained).sum(1) / found.n.sum()
    return drop


def _nothing_to_lose(found: Counts) -> Fails:
    nothing: Fails = found.knew.sum(1) / found.n.sum() <= MAX_DROP_OVERALL + ROUNDING
    return nothing


def _pooled_quantile(drawn: Drawn) -> float:
    strata = drawn.shape.strata
    if (strata.clusters == strata.n).all():
        return normal_quantile()
    return student_quantile(max(1, int(strata.clusters.sum()) - len(strata.bounds)))


def _if_pooled(drawn: Drawn, fails: Fails) -> Fails:
    least = least_to_retain(MAX_DROP_OVERALL, _pooled_quantile(drawn)) or 0
    decides = drawn.shape.pools and drawn.strata.n.sum() >= least
    return fails[:, None] if decides else np.zeros((len(fails), 0), dtype=np.bool_)


# The checklist


def checklist(drawn: Drawn) -> Fails:
    """The gate's: a critical item lost in more than half of its asks, or two others of a suite; the baseline answers all asks."""
    lost = _lost_by_majority(drawn)
    critical = np.array([case.severity == "critical" for case in drawn.shape.items], dtype=np.bool_)
    suites = np.array([case.suite.name for case in drawn.shape.items])
    others = (
        np.stack([(lost & ~critical & (suites == name)).sum(1) for name in suites], 1)
        if suites.size
        else lost
    )
    return lost & (critical | (others > MOST_LOST))


def strict_checklist(drawn: Drawn) -> Fails:
    """The gate's under `--strict`: any lost item."""
    return _lost_by_majority(drawn)


def _lost_by_majority(drawn: Drawn) -> Fails:
    asks = drawn.lost_asks
    lost: Fails = asks[..., 0] & (2 * asks.sum(-1) > drawn.shape.asks)
    return lost


def checklist_before(drawn: Drawn) -> Fails:
    """Any item lost in its first and only ask."""
    return drawn.lost_asks[..., 0]


# Other rules, for comparison


def before(drawn: Drawn) -> Fails:
    """The first version: FORGOTTEN, or large enough and over the margin."""
    return _before(drawn, small=False)


def before_with_small(drawn: Drawn) -> Fails:
    """The same if slices too small to be RETAINED keep their gates."""
    return _before(drawn, small=True)


def _before(drawn: Drawn, small: bool) -> Fails:
    margins = _margins_before(drawn)
    found = drawn.gates.independent()
    decides = found.n >= (0 if small else _least(margins, np.full_like(margins, normal_quantile())))
    vacuous = found.knew / found.n <= margins + ROUNDING
    forgotten = ~vacuous & (z_at(found, margins) > normal_quantile())
    return forgotten | (decides & (vacuous | (found.drop > margins + ROUNDING)))


def strict_before(drawn: Drawn) -> Fails:
    """The first version under `--strict`: RETAINED, or it fails, however small."""
    margins, found = _margins_before(drawn), drawn.gates.independent()
    return (found.knew / found.n <= margins + ROUNDING) | (z_at(found, margins) > -normal_quantile())


def _margins_before(drawn: Drawn) -> Array:
    return np.array([BEFORE[str(case.gate.over)] for case in drawn.shape.margins])


def threshold(drawn: Drawn) -> Fails:
    """Any observed drop over the margin, whatever n."""
    return drawn.gates.drop > drawn.shape.max_drop + ROUNDING


def unpaired(drawn: Drawn) -> Fails:
    """Two accuracies as if of other probes: a one-sided z test at 5 % that there is a drop."""
    found = drawn.gates
    rates = [(found.kept + found.lost) / found.n, (found.kept + found.gained) / found.n]
    error = np.sqrt(sum(rate * (1 - rate) for rate in rates) / found.n)
    return (rates[0] - rates[1]) > ndtri(1 - LEVEL) * np.maximum(error, 1e-12)


def forgotten_by_holm(drawn: Drawn) -> Fails:
    """The whole interval of the drop above the margin, at Holm's level."""
    slices, z = drawn.shape.gates, z_at(drawn.gates, drawn.shape.max_drop)
    p = np.where(slices.clustered, stdtr(np.maximum(slices.clusters - 1, 1), -z), ndtr(-z))
    return holm(p) <= LEVEL
