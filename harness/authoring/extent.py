"""The probes of a slice in, how much they can decide out: their number, their clusters, and whether there is a gate at all."""

from __future__ import annotations

from collections.abc import Sequence

from harness.gate.cases import Case
from harness.gate.rules import Extent
from harness.gate.verdict import LEAST_TEXTS
from harness.stats.paired import least_to_retain
from harness.suites.suite import Gate, MarginGate, Probe, RiseGate, SliceGate
from harness.wording import count, points


def extent(probes: Sequence[Probe], design_effect: float = 1.0) -> Extent:
    """The extent of a slice; the design effect holds if some of its probes go together."""
    alone = sum(probe.cluster is None for probe in probes)
    clusters = alone + len({probe.cluster for probe in probes if probe.cluster is not None})
    if clusters == len(probes):
        return Extent(len(probes))
    return Extent(len(probes), clusters, design_effect)


def needed(gate: Gate, size: Extent) -> int | None:
    """How many probes the gate over a slice takes at least, known ones if it has a `max_loss`; None if any number will do."""
    if isinstance(gate, RiseGate):
        return LEAST_TEXTS
    if not isinstance(gate, MarginGate):
        return None
    margins = [gate.max_drop, *([gate.max_loss] if gate.max_loss < 1 else [])]
    least = (least_to_retain(margin, size.quantile) for margin in margins)
    return max(filter(None, least), default=None)


def gated(gate: Gate, size: Extent) -> bool:
    """Whether a slice has probes enough for its gate to decide."""
    return size.n >= (needed(gate, size) or 0)


def not_gated(gate: Gate, size: Extent) -> str:
    """Why a slice that is too small has no gate."""
    if isinstance(gate, RiseGate):
        return f"not gated: {count(size.n, 'text')}, a mean needs {LEAST_TEXTS}"
    assert isinstance(gate, MarginGate), f"a gate over '{gate.over}' is never too small"
    of = "" if size.clusters is None else f" in {count(size.clusters, 'cluster')}"
    margin = f"a margin of {points(gate.max_drop)} points"
    if size.n >= (least_to_retain(gate.max_drop, size.quantile) or 0):
        margin = f"a loss of at most {points(gate.max_loss)} %"
    return f"not gated: {count(size.n, 'probe')}{of}, {margin} needs {needed(gate, size)}"


def number_of_tests(cases: Sequence[Case], strict: bool) -> int:
    """How many slices of a run share its level, by Holm's procedure."""
    confirmed = (
        case
        for case in cases
        if isinstance(case.gate, SliceGate) and case.gate.on_inconclusive == "confirmed"
    )
    return 0 if strict else sum(gated(case.gate, extent(case.probes)) for case in confirmed)
