"""What reports bring along in, each gate and each probe once out, whatever reruns and workers repeat."""

from __future__ import annotations

from typing import Any

from harness.plugin.tally import worse

Row = dict[str, Any]

BY_SUITE = ("seconds_asking", "template", "thinking_tokens")
"""What of a run is told by suite, each by the worker that asks it."""


class Rows:
    """The rows of a record, as plain data: of a gate that came twice, and of a probe, the worse."""

    def __init__(self) -> None:
        self.gates: dict[tuple[str, str], Row] = {}
        self.probes: dict[tuple[str, str], Row] = {}
        self.run: Row = {"notes": [], **{name: {} for name in BY_SUITE}}

    def add(self, data: Row) -> None:
        """Take the rows of one case."""
        gate = data["gate"]
        key = gate["suite"], gate["slice"]
        known = self.gates.get(key)
        if known is None or worse(gate["outcome"], known["outcome"]) != known["outcome"]:
            self.gates[key] = gate
        for row in data["probes"]:
            key = row["suite"], row["id"]
            if key not in self.probes or _tells_more(row) > _tells_more(self.probes[key]):
                self.probes[key] = row
        run = data["run"]
        by_suite = {name: {**self.run[name], **run[name]} for name in BY_SUITE}
        self.run = {**self.run, **run, "notes": self.run["notes"], **by_suite}
        self.note(*run["notes"])

    def note(self, *notes: str) -> None:
        """What the user should hear, once."""
        self.run["notes"] = list(dict.fromkeys([*self.run["notes"], *notes]))


def _tells_more(row: Row) -> tuple[bool, bool, bool]:
    """Which of two rows of a probe counts: one with both answers, and then the worse."""
    return row["baseline"] is not None, row["change"] == "lost", not row["tuned"]["right"]
