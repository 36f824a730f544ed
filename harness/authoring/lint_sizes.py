"""Find what the size of a suite's slices keeps its gates from showing: the place, the weakness, and the remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from harness.authoring.extent import extent, gated, not_gated
from harness.authoring.gate_power import RISE_DEVIATION
from harness.errors import Problem
from harness.gate.cases import shown_slice
from harness.gate.compare import comparison
from harness.gate.decide import LEVEL
from harness.gate.rules import Extent
from harness.gate.verdict import judge_gate
from harness.stats.clusters import FEW_CLUSTERS
from harness.stats.paired import ROUNDING
from harness.stats.paired_t import probability_within
from harness.stats.power import (
    FLIP_RATE,
    POWER,
    TUNING_FLIPS,
    OverMargin,
    minimum_detectable_drop,
    power,
)
from harness.suites.suite import MarginGate, RiseGate, SliceGate, Suite
from harness.wording import count, percent, points, some

UNDERPOWERED = 0.30
"""Slices whose minimum detectable drop exceeds this are reported as underpowered."""


def weak_gates(suite: Suite) -> Iterator[Problem]:
    """The weaknesses of the gates over slices."""
    sliced = [gate for gate in suite.gates if isinstance(gate, MarginGate | RiseGate)]
    for gate in sliced:
        yield from _left_out(suite, gate)
    slices = {id(gate): _slices(suite, gate) for gate in sliced}
    nothing_decides = len(sliced) == len(suite.gates) and not any(
        gated(gate, size) for gate in sliced for size in slices[id(gate)].values()
    )
    if nothing_decides:
        yield Problem(
            sliced[0].span,
            f"no gate of this suite can decide anything: {_reasons(sliced[0], slices[id(sliced[0])])}",
            "a run of this suite alone exits with 5; add probes, or choose a larger margin",
        )
        return
    for gate in sliced:
        yield from _size(gate, slices[id(gate)])


def _slices(suite: Suite, gate: SliceGate) -> dict[str, Extent]:
    """The extent of each slice of a gate: "all", or "'math'" and the other categories."""
    quote = "'" if gate.over == "category" else ""
    return {
        f"{quote}{shown_slice(name)}{quote}": extent(probes) for name, probes in gate.slices(suite).items()
    }


def _left_out(suite: Suite, gate: SliceGate) -> Iterator[Problem]:
    without = [f"'{probe.id}'" for probe in suite.probes if probe.category is None]
    if without and gate.over == "category":
        yield Problem(
            gate.span,
            f"this gate leaves out {count(len(without), 'probe')} without a category: {some(without)}",
            "give each probe a category",
        )


def _size(gate: MarginGate | RiseGate, slices: Mapping[str, Extent]) -> Iterator[Problem]:
    """Verdicts that the size of the slices and the margins rule out; the gravest for each slice."""
    if isinstance(gate, MarginGate) and gate.max_drop >= 1 - ROUNDING and gate.max_loss >= 1 - ROUNDING:
        yield Problem(
            gate.span,
            "a gate with 'max_drop: 1' and 'max_loss: 1' detects no loss: losing every answer is within the margins",
            "its verdict is always VACUOUS; choose a smaller margin",
        )
        return
    small = {name: size for name, size in slices.items() if not gated(gate, size)}
    if small:
        counts = "they count in their suite" if len(small) > 1 else "it counts in its suite"
        yield Problem(
            gate.span,
            f"{_reasons(gate, small)}; {counts if gate.over == 'category' else 'it counts in the overall gate'}",
            "add probes, or choose a larger margin",
        )
    others = {name: size for name, size in slices.items() if name not in small}
    if isinstance(gate, RiseGate):
        yield from _few_texts(gate, others)
        return
    yield from _few_clusters(gate, others)
    cannot_fail = {name: size for name, size in others.items() if not _can_fail(size.n, gate)}
    if gate.on_inconclusive == "pass" and cannot_fail:
        yield Problem(
            gate.span,
            f"this gate can never fail over {_sized(cannot_fail)}: even the loss of every answer is inconclusive, "
            "which passes",
            "add probes, or remove 'on_inconclusive: pass'",
        )
        others = {name: size for name, size in others.items() if name not in cannot_fail}
    if weak := {name: size for name, size in others.items() if underpowered(size.n)}:
        yield _too_weak(gate, weak)
    yield from _false_alarms(gate, {name: size for name, size in others.items() if name not in weak})
    if gate.max_drop <= 0:
        yield Problem(
            gate.span,
            "a gate with 'max_drop: 0' is never RETAINED: no number of probes shows that nothing at all was lost",
            "choose a margin",
        )


def _reasons(gate: MarginGate | RiseGate, small: Mapping[str, Extent]) -> str:
    """Why slices are not gated: "not gated: 5 probes, and a margin of 20 points needs 11" if it is one."""
    told = [f"{name} ({not_gated(gate, size).removeprefix('not gated: ')})" for name, size in small.items()]
    return f"not gated: {some(told)}"


def _few_clusters(gate: MarginGate, slices: Mapping[str, Extent]) -> Iterator[Problem]:
    few = [
        f"{name} ({count(size.n, 'probe')} in {count(size.clusters, 'cluster')})"
        for name, size in slices.items()
        if size.clusters is not None and size.clusters < FEW_CLUSTERS
    ]
    if few:
        yield Problem(
            gate.span,
            f"few templates: {some(few)}; probes of one tend to be lost together, so these say little of others",
            f"write at least {FEW_CLUSTERS} templates or passages",
        )


def _few_texts(gate: RiseGate, slices: Mapping[str, Extent]) -> Iterator[Problem]:
    few = {
        name: size
        for name, size in slices.items()
        if probability_within(size.n, gate.max_rise, RISE_DEVIATION) < POWER
    }
    if few:
        yield Problem(
            gate.span,
            f"too few texts: {_sized(few, 'text')}; without a loss, the margin of {points(gate.max_rise)} % is RETAINED in less "
            f"than {100 * POWER:.0f} % of runs, if log ratios have a standard deviation of {RISE_DEVIATION:g}",
            "add texts, or choose a larger margin",
        )


def _false_alarms(gate: MarginGate, slices: Mapping[str, Extent]) -> Iterator[Problem]:
    """Rules that need no significance fail by chance."""
    if gate.on_inconclusive == "confirmed":
        return
    alarms = {
        name: power(
            size.n, 0.0, TUNING_FLIPS / 2, OverMargin(gate.max_drop, gate.on_inconclusive, size.quantile)
        )
        for name, size in slices.items()
    }
    often = {name: slices[name] for name, alarm in alarms.items() if alarm > LEVEL}
    if often:
        worst = max(alarms[name] for name in often)
        yield Problem(
            gate.span,
            f"under 'on_inconclusive: {gate.on_inconclusive}' this gate fails a model that lost nothing, at "
            f"{100 * TUNING_FLIPS:g} % flips, in up to {percent(worst)} of runs: {_sized(often)}",
            "add probes, choose a larger margin, or leave the rule at 'confirmed'",
        )


def _too_weak(gate: MarginGate, slices: Mapping[str, Extent]) -> Problem:
    drops = [drop for size in slices.values() if (drop := _detectable(size.n)) is not None]
    detected = f"a drop only from about {100 * min(drops):.0f} points on" if drops else "no drop at all"
    which = "the best of these" if len(slices) > 1 else "this"
    return Problem(
        gate.span,
        f"too few probes: {_sized(slices)}; {which} can detect {detected}",
        "30 probes detect 20 points at best; 'plan' shows what each gate catches",
    )


def underpowered(n: int) -> bool:
    """Whether n probes detect a drop of UNDERPOWERED less than four times out of five."""
    drop = _detectable(min(n, 200))  # more probes detect smaller drops
    return drop is None or drop > UNDERPOWERED


def _detectable(n: int) -> float | None:
    return minimum_detectable_drop(n, FLIP_RATE / 2)


@lru_cache(maxsize=4096)
def _can_fail(n: int, gate: MarginGate) -> bool:
    """Whether any outcome over n probes is FORGOTTEN; losing them all is the worst."""
    return judge_gate(comparison(0, n, 0, 0), gate) == "FORGOTTEN"


def _sized(slices: Mapping[str, Extent], noun: str = "probe") -> str:
    return some([f"{name} ({count(size.n, noun)})" for name, size in slices.items()])
