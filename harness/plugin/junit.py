"""Describe the run and its cases as JUnit properties, as far as pytest's `junit_family` allows.

The schema `xunit2`, the default of Jenkins and pytest, allows properties for the whole run but not for a test case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from harness.visible import visible

FAMILIES_WITH_PROPERTIES = ("xunit1", "legacy")


def may_describe_cases(config: pytest.Config) -> bool:
    """Whether cases may have properties; without JUnit XML they are for other reporters, which take any."""
    return not config.getoption("xmlpath", None) or config.getini("junit_family") in FAMILIES_WITH_PROPERTIES


def describe_run(config: pytest.Config, run: Mapping[str, Any], cases: Mapping[str, int]) -> None:
    """Add the models, the device and the number of decided cases as properties of the whole run."""
    from _pytest.junitxml import xml_key  # where the public fixture record_testsuite_property writes

    if (xml := config.stash.get(xml_key, None)) is None:
        return
    facts = {name: run.get(name) for name in ("device", "dtype")}
    for side in ("baseline", "tuned"):
        row = run.get(side) or {}
        facts |= {side: row.get("reference"), f"{side}_weights": row.get("weights")}
    facts |= {f"cases_{name}": n for name, n in cases.items()}
    for name, value in facts.items():
        if value is not None:
            xml.add_global_property(f"gate_{name}", visible(str(value)))
