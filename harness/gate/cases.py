"""A Suite in, its cases out: one for each gate and slice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.errors import HarnessError, Span
from harness.spelling import option
from harness.suites.severity import Severity
from harness.suites.suite import (
    OVERALL,
    EachGate,
    FlipsGate,
    Gate,
    MarginGate,
    OverallGate,
    Probe,
    RunGate,
    SliceGate,
    Suite,
)
from harness.visible import visible

FLIPS = "answers that flip"
"""What a gate over them is called."""


@dataclass(frozen=True)
class Case:
    """One gate over one slice, named "all", "category[math]" or "probe[json-object]"."""

    suite: Suite
    gate: Gate
    slice: str
    probes: tuple[Probe, ...]
    severity: Severity
    span: Span | None
    sampled: bool = False
    """Whether the probes are a part of the slice."""

    @property
    def tuned_alone(self) -> bool:
        """Whether the case judges the tuned model alone and needs no baseline."""
        return isinstance(self.gate, EachGate) and self.gate.require == "pass"

    @property
    def single(self) -> bool:
        """Whether the case compares both models on one probe, which they are asked again if it is lost."""
        return isinstance(self.gate, EachGate) and self.gate.require == "retained"

    @property
    def needs(self) -> str | None:
        """The size of model that the slice takes, if its suite says so."""
        return self.suite.needs.get(self.slice)

    @property
    def title(self) -> str:
        """The case's name in reports and logs, escaped: "general-qa · math"."""
        if isinstance(self.gate, RunGate):
            return self.suite.name if self.slice == "all" else FLIPS
        return visible(f"{self.suite.name} · {shown_slice(self.slice)}")


def shown_slice(name: str) -> str:
    """A slice's name for people: "math" for "category[math]", "json-object" for "probe[json-object]"."""
    return name.partition("[")[2].removesuffix("]") or name


def cases(suite: Suite) -> Iterator[Case]:
    """The cases of a suite, in the order of its gates."""
    for gate in suite.gates:
        if isinstance(gate, EachGate):
            for probe in suite.probes:
                yield Case(suite, gate, f"probe[{probe.id}]", (probe,), probe.severity, probe.span)
        elif isinstance(gate, SliceGate):
            for name, probes in gate.slices(suite).items():
                yield Case(suite, gate, name, probes, suite.severity, gate.span)


def probe_ids(cases: Sequence[Case]) -> dict[str, list[str]]:
    """The ids of the probes of cases, by suite, in its order."""
    wanted: dict[str, set[str]] = {}
    suites = {case.suite.name: case.suite for case in cases if not isinstance(case.gate, RunGate)}
    for case in cases:
        wanted.setdefault(case.suite.name, set()).update(probe.id for probe in case.probes)
    return {
        name: [probe.id for probe in suite.probes if probe.id in wanted[name]]
        for name, suite in suites.items()
    }


# All suites together


def overall_case(max_drop: float) -> Case:
    """The case of the gate over all suites of a run."""
    gate = OverallGate(max_drop)
    return Case(Suite(OVERALL, gates=(gate,), probes=()), gate, "all", (), "critical", None)


def flips_case(max_flips: float) -> Case:
    """The case of the gate over the answers of a run that flip."""
    gate = FlipsGate(max_flips)
    return Case(Suite(OVERALL, gates=(gate,), probes=()), gate, "flips", (), "critical", None)


def with_overall(
    cases: Sequence[Case], max_drop: float | None, of_one: bool = False, max_flips: float | None = None
) -> list[Case]:
    """The cases and those over all suites, if they have any to pool; a single suite has a gate over flips if `max_flips` asks."""
    found = list(cases)
    if max_drop is not None and has_overall(cases, of_one):
        found.append(overall_case(max_drop))
    if max_flips is not None and any(isinstance(case.gate, SliceGate | EachGate) for case in cases):
        found.append(flips_case(max_flips))
    return found


def has_overall(cases: Iterable[Case], of_one: bool) -> bool:
    """Whether there are several suites to pool.

    A single suite has its author's own margin, and no second one unless `of_one` asks for it.
    """
    return len(pooled_suites(cases)) > (0 if of_one else 1)


def check_margin_overall(cases: Iterable[Case], given: float | Literal["off"] | None) -> None:
    """Refuse a margin of the overall gate that was given where no suite could be pooled; raises HarnessError."""
    if given not in (None, "off") and not pooled_suites(cases):
        raise HarnessError(
            f"{option('max_drop_overall', str(given))}: would do nothing, for no suite here has a gate with max_drop, whose "
            "probes could be pooled\n  leave it out"
        )


def pooled_suites(cases: Iterable[Case]) -> set[str]:
    """The names of the suites that an overall gate pools."""
    return {case.suite.name for case in cases if isinstance(case.gate, MarginGate)}
