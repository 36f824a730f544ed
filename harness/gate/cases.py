"""A Suite in, the cases that it is gated by out: one for each gate and slice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.errors import Span
from harness.suites.format import Severity
from harness.suites.suite import Gate, Probe, Suite
from harness.visible import visible


@dataclass(frozen=True)
class Case:
    """A gate over one slice; `slice` is "all", "category[math]" or "probe[json-object]"."""

    suite: Suite
    gate: Gate
    slice: str
    probes: tuple[Probe, ...]
    severity: Severity
    span: Span | None

    @property
    def tuned_alone(self) -> bool:
        """Whether the case asks the tuned model alone, and needs no baseline."""
        return self.gate.over == "each" and self.gate.require == "pass"

    @property
    def title(self) -> str:
        """The case as reports and logs call it, safe to be shown anywhere: "general-qa · math"."""
        inner = self.slice.partition("[")[2].removesuffix("]") or self.slice
        return visible(f"{self.suite.name} · {inner}")


def cases(suite: Suite) -> Iterator[Case]:
    """The cases of a suite in the order of its gates."""
    for gate in suite.gates:
        if gate.over == "all":
            yield Case(suite, gate, "all", suite.probes, suite.severity, gate.span)
        elif gate.over == "category":
            for category, probes in suite.by_category().items():
                yield Case(suite, gate, f"category[{category}]", probes, suite.severity, gate.span)
        else:
            for probe in suite.probes:
                yield Case(suite, gate, f"probe[{probe.id}]", (probe,), probe.severity, probe.span)
