from __future__ import annotations

from typing import Any

import pytest

from harness.reporting.record import Record
from harness.reporting.summary import render

GATE: dict[str, Any] = {
    "suite": "facts", "slice": "all", "over": "all", "severity": "high", "place": "facts.yaml:3:5", "n": 10,
    "kept": 1, "lost": 9, "gained": 0, "missed": 0, "baseline_accuracy": 1.0, "tuned_accuracy": 0.1, "drop": 0.9,
    "interval": (0.7, 0.95), "mid_p": 0.001, "max_drop": 0.1, "verdict": "FORGOTTEN", "outcome": "failed",
}  # fmt: skip
RUN: dict[str, Any] = {
    "harness": "0", "started": "now", "seconds": 1.0, "command": [], "exit_status": 1, "errors": [], "versions": {},
    "strict": False, "fail_on": "low", "baseline": {"reference": "base", "name": "base"},
    "tuned": {"reference": "lora", "name": "lora", "weights": "b", "base_weights": "a"},
}  # fmt: skip


def told(gate: dict[str, Any] | None = None, **run: Any) -> str:
    record = {"run": {**RUN, **run}, "gates": [{**GATE, **(gate or {})}], "probes": []}
    return render(Record.model_validate(record))


def test_forgetting_under_an_adapter_is_said_to_be_removable_and_real():
    assert (
        "The tuned model is an adapter, so the forgetting is removable: with the adapter off, the base is unchanged. "
        "With it on, the model has forgotten."
    ) in told()


def test_forgetting_in_the_weights_themselves_is_not():
    assert "removable" not in told(tuned={"reference": "full", "name": "full", "weights": "b"})


def test_what_the_recipe_has_not_tried_is_named():
    assert "Mitigations that this recipe has not tried, the least costly first: a lower rate, EWC." in told(
        untried=["a lower rate", "EWC"]
    )
    assert "has not tried" not in told()


@pytest.mark.parametrize(
    "gate", [{"outcome": "warned"}, {"verdict": "RETAINED", "outcome": "passed"}, {"verdict": "VACUOUS"}]
)
def test_nothing_is_advised_where_nothing_was_forgotten(gate):
    assert "removable" not in told(gate, untried=["EWC"])
    assert "mitigation" not in told(gate)
