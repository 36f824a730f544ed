"""The task and probes of a suite in, how much all of its prompts hold out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from string import Formatter

from harness.suites.suite import Probe, Task

SHOT = 100
"""What a shot takes beside its text, in characters."""


def prompted(task: Task, probes: Sequence[Probe]) -> int:
    """The characters of all prompts together, each with the system message and the shots that it begins with."""
    uses = Counter(name for _, name, _, _ in Formatter().parse(task.prompt) if name is not None)

    def filled(fields: Mapping[str, str]) -> int:
        return len(task.prompt) + sum(
            times * len(fields[name]) for name, times in uses.items() if name in fields
        )

    before = len(task.system or "") + sum(
        SHOT + filled(shot.fields) + len(shot.answer) for shot in task.shots
    )
    return sum(
        before + filled(probe.fields) + len(probe.text or "") + sum(map(len, probe.choices))
        for probe in probes
    )
