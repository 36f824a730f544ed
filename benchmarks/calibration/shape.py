"""Cases of a run in, its Shape out: which probes, clusters, texts and items its gates look at, as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from harness.authoring.extent import extent
from harness.evaluation.sample import sampled
from harness.gate.cases import Case, cases
from harness.scoring import SCORERS
from harness.stats.paired import normal_quantile
from harness.suites.read import read_suite
from harness.suites.suite import EachGate, MarginGate, Probe, RiseGate, Suite

SUITES = Path(__file__).parents[2] / "suites"

Key = tuple[str, str]
"""The name of a probe's suite, and its id."""

Array = NDArray[np.float64]
Fails = NDArray[np.bool_]
"""Which gates fail, shape (trials, gates)."""


@dataclass(frozen=True)
class Slices:
    """Slices of the probes of a run.

    Attributes:
        of: which probes each slice has, 0 or 1, shape (slices, probes).
        cluster_of: which probes each cluster has, 0 or 1, shape (clusters, probes), slice by slice.
        bounds: where the clusters of each slice begin and end in `cluster_of`; nowhere if its probes are independent.
        clusters: how many there are, for the degrees of freedom: of independent probes each is one, shape (slices,).
        quantile: how many standard errors the intervals reach, shape (slices,).
    """

    of: csr_array
    cluster_of: csr_array
    bounds: tuple[tuple[int, int], ...]
    clusters: NDArray[np.int64]
    quantile: Array

    @property
    def n(self) -> Array:
        """The probes of each slice."""
        return np.asarray(self.of.sum(axis=1), dtype=np.float64)

    @property
    def clustered(self) -> Fails:
        return np.array([begin != end for begin, end in self.bounds])


@dataclass(frozen=True)
class Shape:
    """What a run asks.

    Attributes:
        margins: the cases with a margin, each over a slice of `gates`; `strata` are the probes of their suites.
        rises: the cases over texts; `of_texts` says which texts each has, shape (gates, texts).
        items: the cases of one probe each; `asks` says how often each is asked if it is lost at first, shape (items,).
    """

    margins: tuple[Case, ...]
    gates: Slices
    strata: Slices
    rises: tuple[Case, ...]
    of_texts: csr_array
    items: tuple[Case, ...]
    probes: tuple[Key, ...]
    texts: tuple[Key, ...]

    @property
    def max_drop(self) -> Array:
        return np.array([case.gate.max_drop for case in self.margins if isinstance(case.gate, MarginGate)])

    @property
    def max_loss(self) -> Array:
        return np.array([case.gate.max_loss for case in self.margins if isinstance(case.gate, MarginGate)])

    @property
    def max_rise(self) -> Array:
        return np.array([case.gate.max_rise for case in self.rises if isinstance(case.gate, RiseGate)])

    @property
    def asks(self) -> NDArray[np.int64]:
        return np.array([2 + len(case.probes[0].also_ask) for case in self.items], dtype=np.int64)

    @property
    def pools(self) -> bool:
        """Whether there is an overall gate: several suites with margins."""
        return len(self.strata.bounds) > 1


@cache
def shipped() -> tuple[Suite, ...]:
    """The suites of this checkout."""
    return tuple(read_suite(path, SCORERS) for path in sorted(SUITES.glob("*.yaml")))


def run_shape(n: int | None = None) -> Shape:
    """A run over the shipped suites, or over a sample of `n` of their probes."""
    return shape(sampled([case for suite in shipped() for case in cases(suite)], n, seed=0))


def shape(asked: Sequence[Case]) -> Shape:
    """The shape of a run over cases.

    Raises:
        ValueError: a gate is not simulated here: one with a margin of 0, or over the tuned model alone.
    """
    margins = tuple(case for case in asked if isinstance(case.gate, MarginGate))
    rises = tuple(case for case in asked if isinstance(case.gate, RiseGate))
    items = tuple(case for case in asked if isinstance(case.gate, EachGate))
    smallest = min(
        (getattr(case.gate, name, 1) for case in asked for name in ("max_drop", "max_loss")), default=1
    )
    if smallest <= 0 or any(case.tuned_alone for case in asked):
        raise ValueError("a margin of 0 and `require: pass` are not simulated")
    probes = {key: probe for case in margins for key, probe in _keyed(case)}
    texts = dict.fromkeys(key for case in rises for key, _ in _keyed(case))
    by_suite: dict[str, list[Key]] = {}
    for key in probes:
        by_suite.setdefault(key[0], []).append(key)
    return Shape(
        margins,
        _slices([[key for key, _ in _keyed(case)] for case in margins], probes),
        _slices(list(by_suite.values()), probes),
        rises,
        _members([[key for key, _ in _keyed(case)] for case in rises], list(texts)),
        items,
        tuple(probes),
        tuple(texts),
    )


def _keyed(case: Case) -> Iterator[tuple[Key, Probe]]:
    return (((case.suite.name, probe.id), probe) for probe in case.probes)


def _slices(groups: Sequence[Sequence[Key]], probes: dict[Key, Probe]) -> Slices:
    extents = [extent([probes[key] for key in keys]) for keys in groups]
    # A single cluster says nothing of how much others would differ, so the gate takes its probes as independent.
    by_cluster = [
        _by_cluster(keys, probes) if size.clusters and size.clusters > 1 else []
        for keys, size in zip(groups, extents, strict=True)
    ]
    ends = list(accumulate(map(len, by_cluster)))
    return Slices(
        _members(groups, list(probes)),
        _members([cluster for clusters in by_cluster for cluster in clusters], list(probes)),
        tuple(zip([0, *ends], ends, strict=False)),
        np.array([size.clusters or size.n for size in extents]),
        np.array([size.quantile or normal_quantile() for size in extents]),
    )


def _by_cluster(keys: Sequence[Key], probes: dict[Key, Probe]) -> list[list[Key]]:
    found: dict[str | Key, list[Key]] = {}
    for key in keys:
        found.setdefault(probes[key].cluster or key, []).append(key)
    return list(found.values())


def _members(groups: Sequence[Sequence[Key]], keys: Sequence[Key]) -> csr_array:
    """Which keys each group has, shape (groups, keys)."""
    place = {key: number for number, key in enumerate(keys)}
    columns = [place[key] for group in groups for key in group]
    rows = np.repeat(np.arange(len(groups)), list(map(len, groups)))
    return csr_array((np.ones(len(columns)), (rows, columns)), shape=(len(groups), len(keys)))
