"""Decisions in, the rows of a record out: each gate once, and each probe once."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from harness.gate.verdict import Decision
from harness.models.identity import weights_identity
from harness.models.reference import Adapter, Endpoint, Model
from harness.reporting.record import GateRow, ModelRow, ProbeRow, gate_row, probe_row

PACKAGES = ("torch", "transformers", "peft", "tokenizers", "pytest")


def rows(decisions: Iterable[Decision]) -> tuple[list[GateRow], list[ProbeRow]]:
    """The gates in their order, and their probes; of a probe that both models were asked and one was, the row of both."""
    gates: list[GateRow] = []
    probes: dict[tuple[str, str], ProbeRow] = {}
    for decision in decisions:
        gates.append(gate_row(decision))
        suite = decision.case.suite
        for pair in decision.pairs:
            known = probes.get((suite.name, pair.probe.id))
            if known is None or (known.baseline is None and pair.baseline is not None):
                probes[suite.name, pair.probe.id] = probe_row(suite, pair)
    return gates, list(probes.values())


def exit_code(gates: Iterable[GateRow]) -> int:
    """What a run that decided these gates ends in: 1 where one failed, 5 where none was decided, else 0."""
    outcomes = {row.outcome for row in gates}
    if "failed" in outcomes:
        return 1
    return 0 if outcomes & {"passed", "warned"} else 5


def model_row(model: Model, reference: str | None = None, label: str | None = None) -> ModelRow:
    """Who a model is: as the user called it, and by the content of its files, where it has any; else by its engine's label."""
    if isinstance(model, Endpoint):
        return ModelRow(reference=reference or model.name, name=label or model.name)
    base = model.base if isinstance(model, Adapter) else None
    return ModelRow(
        reference=reference or model.name,
        name=f"adapter on {base.name}" if base else model.name,
        weights=weights_identity(model.folder),
        base_weights=weights_identity(base.folder) if base else None,
    )


def versions() -> dict[str, str]:
    """Python and the packages that answers depend on, as installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
