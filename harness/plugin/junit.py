"""Describe the run and its cases as JUnit properties, as far as pytest's `junit_family` allows.

The schema `xunit2`, the default of Jenkins and pytest, allows properties for the whole run but not for a test case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from harness.visible import visible

FAMILIES_WITH_PROPERTIES = ("xunit1", "legacy")


def may_describe_cases(config: pytest.Config) -> bool:
    """Whether cases may have properties; without JUnit XML they are for other reporters, which take any."""
    return not config.getoption("xmlpath", None) or config.getini("junit_family") in FAMILIES_WITH_PROPERTIES


def describe_run(
    config: pytest.Config,
    run: Mapping[str, Any],
    cases: Mapping[str, int],
    gates: Sequence[Mapping[str, Any]],
) -> None:
    """Add the models, the device, the number of decided cases and the accepted losses as properties of the whole run."""
    from _pytest.junitxml import xml_key  # where the public fixture record_testsuite_property writes

    if (xml := config.stash.get(xml_key, None)) is None:
        return
    facts = {name: run.get(name) for name in ("device", "dtype")}
    for side in ("baseline", "tuned"):
        row = run.get(side) or {}
        facts |= {side: row.get("reference"), f"{side}_weights": row.get("weights")}
    facts |= {f"cases_{name}": n for name, n in cases.items()}
    facts |= _accepted(run, gates)
    for name, value in facts.items():
        if value is not None:
            xml.add_global_property(f"gate_{name}", visible(str(value)))


def _accepted(run: Mapping[str, Any], gates: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The accepted losses that counted as kept, and the cases that did not fail or warn for them alone."""
    counted = [
        f"{suite}::{row['probe']}: {row['because']}"
        for suite, rows in run.get("accepted", {}).items()
        for row in rows
        if row["standing"] == "in force"
    ]
    turned = [f"{row['suite']}::{row['slice']}" for row in gates if row.get("without_accepted")]
    facts = {"accepted": counted, "passed_only_because_accepted": turned}
    return {name: "; ".join(texts) for name, texts in facts.items() if texts}
