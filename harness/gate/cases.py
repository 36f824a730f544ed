"""A Suite in, its cases out: one for each gate and slice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.errors import Span
from harness.suites.severity import Severity
from harness.suites.suite import EachGate, Gate, OverallGate, Probe, SliceGate, Suite
from harness.visible import visible


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
        if isinstance(self.gate, OverallGate):
            return self.suite.name
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
