"""A Shape and what is true in, what the answers of many runs show out.

Of an unchanged model each answer flips by chance at one rate, half of the flips each way, independently of the others. A model
that lost something loses each probe as much more often as its accuracy fell. A lost item of the checklist shows as lost
in each ask but for a flip; the rest show as lost by chance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration.shape import Array, Fails, Shape, Slices
from harness.authoring.gate_power import RISE_DEVIATION
from harness.stats.clusters import design_effects

Fates = NDArray[np.float32]

KNOWN = 0.60
"""The baseline's accuracy."""


@dataclass(frozen=True)
class Truth:
    """What is true of the tuned model.

    Attributes:
        flips: the share of answers that flip where nothing was lost.
        drop: in accuracy, a fraction: of all probes, or of each, shape (probes,).
        lost_items: which items of the checklist are lost for good, or the chance of each.
        known: the baseline's accuracy.
        common: how often a probe follows the fate that its stratum's clusters share, shape as `drop`; see `draw`.
        same_words: how often an ask of an item follows the fate that its asks share.
    """

    flips: float
    drop: float | Array = 0.0
    lost_items: float | Array = 0.0
    known: float = KNOWN
    common: float = 0.0
    same_words: float = 0.0


@dataclass(frozen=True)
class Counts:
    """Outcomes of slices in each trial, shape (trials, slices) but for `n`, shape (slices,)."""

    kept: Array
    lost: Array
    gained: Array
    n: Array
    effect: Array

    @property
    def knew(self) -> Array:
        return self.kept + self.lost

    @property
    def drop(self) -> Array:
        return (self.lost - self.gained) / self.n

    @property
    def share_lost(self) -> Array:
        knew = np.maximum(self.knew, 1)
        return np.where(self.knew > 0, (self.lost - self.gained) / knew, 0.0)

    def independent(self) -> Counts:
        """The same, as if probes did not go together."""
        return replace(self, effect=np.ones_like(self.effect))


@dataclass(frozen=True)
class Drawn:
    """What many runs show.

    Attributes:
        kept, lost, gained: of each probe, shape (trials, probes).
        ratios: log ratios of the texts, shape (trials, texts).
        lost_asks: whether each ask of an item finds it lost, the first ask first, shape (trials, items, asks).
    """

    shape: Shape
    kept: Fails
    lost: Fails
    gained: Fails
    ratios: Array
    lost_asks: Fails

    @cached_property
    def gates(self) -> Counts:
        return self._counts(self.shape.gates)

    @cached_property
    def strata(self) -> Counts:
        return self._counts(self.shape.strata)

    def _counts(self, slices: Slices) -> Counts:
        lost, gained = self.lost.T.astype(np.float64), self.gained.T.astype(np.float64)  # (probes, trials)
        effect = np.ones((len(slices.bounds), lost.shape[1]))
        sizes = np.asarray(slices.cluster_of.sum(axis=1))
        lost_in, gained_in = (
            (slices.cluster_of @ change).T for change in (lost, gained)
        )  # (trials, clusters)
        for place, (begin, end) in enumerate(slices.bounds):
            if begin != end:
                own = slice(begin, end)
                effect[place] = design_effects(lost_in[:, own], gained_in[:, own], sizes[own])
        of = slices.of
        kept = (of @ self.kept.T.astype(np.float64)).T
        return Counts(kept, (of @ lost).T, (of @ gained).T, slices.n, effect.T)


def draw(shape: Shape, truth: Truth, trials: int, random: np.random.Generator) -> Drawn:
    """Many runs in which `truth` holds.

    A probe's fate is a number within 0 and 1: lost if it is small, then kept, then gained, then missed. Where probes go together,
    each follows with the chance `common` the number of its cluster, so those of a cluster correlate by its square.
    """
    fate: Fates = random.random((trials, len(shape.probes)), dtype=np.float32)
    if truth.common:
        fate = _together(shape, fate, truth.common, random)
    gain = truth.flips / 2
    lost_below = np.broadcast_to(np.asarray(truth.drop + gain), len(shape.probes)).astype(np.float32)
    assert lost_below.max(initial=0) <= truth.known <= 1 - gain, f"no such baseline: {truth}"
    lost, right = fate < lost_below, fate < truth.known
    gained = ~right & (fate < truth.known + gain)
    return Drawn(
        shape,
        right & ~lost,
        lost,
        gained,
        random.normal(0, RISE_DEVIATION, (trials, len(shape.texts))),
        _lost_asks(shape, truth, trials, random),
    )


def _together(shape: Shape, fate: Fates, common: float, random: np.random.Generator) -> Fates:
    clusters = shape.strata.cluster_of
    shared = random.random((len(fate), clusters.shape[0]), dtype=np.float32) @ clusters
    follows = random.random(fate.shape, dtype=np.float32) < common
    alone = np.asarray(clusters.sum(axis=0)) == 0
    found: Fates = np.where(follows & ~alone, shared, fate)
    return found


def _lost_asks(shape: Shape, truth: Truth, trials: int, random: np.random.Generator) -> Fails:
    asks = shape.asks
    size = (trials, asks.size, int(asks.max(initial=1)))
    chance = random.random(size)
    if truth.same_words:
        follows = random.random(size) < truth.same_words
        chance = np.where(follows, random.random(size[:2])[..., None], chance)
    for_good = random.random(size[:2]) < truth.lost_items
    shown = chance < np.where(for_good, 1 - truth.flips / 2, truth.flips / 2)[..., None]
    found: Fails = shown & (np.arange(size[2]) < asks[:, None])
    return found
