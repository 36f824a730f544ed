"""The probes of a suite in, the same with the clusters that nobody wrote out: probes about one long text belong together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from harness.digest import digest
from harness.suites.suite import Probe

PASSAGE = 100
"""From so many characters on, a text that several probes have in one field of the prompt is a passage that they share."""


def with_passages(probes: Sequence[Probe]) -> tuple[Probe, ...]:
    """The probes, those without a cluster in one with all that share a passage; of several, the longest."""
    seen = Counter(
        (name, text) for probe in probes for name, text in probe.fields.items() if len(text) >= PASSAGE
    )
    return tuple(
        probe if probe.cluster else replace(probe, cluster=_passage(probe, seen)) for probe in probes
    )


def _passage(probe: Probe, seen: Counter[tuple[str, str]]) -> str | None:
    shared = [field for field in probe.fields.items() if seen[field] > 1]
    return f"passage {digest(*max(shared, key=lambda field: len(field[1])))[:12]}" if shared else None
