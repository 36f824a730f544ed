"""What a run came to in, what JUnit XML may hold of it out: pytest's own `junit_family` decides.

The schema of `xunit2`, which is Jenkins' and pytest's default, has properties of a suite of tests, and none of a test case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from harness.visible import visible

FAMILIES_WITH_PROPERTIES = ("xunit1", "legacy")


def may_describe_cases(config: pytest.Config) -> bool:
    """Whether each case may have properties; without JUnit XML they are for other reporters, which all take them."""
    if not config.getoption("xmlpath", None):
        return True
    return config.getini("junit_family") in FAMILIES_WITH_PROPERTIES


def describe_run(config: pytest.Config, run: Mapping[str, Any], cases: Mapping[str, int]) -> None:
    """Write down which models were asked, where, and how many cases were decided, as properties of the whole."""
    from _pytest.junitxml import xml_key  # what the public fixture record_testsuite_property writes to

    if (xml := config.stash.get(xml_key, None)) is None:
        return
    facts = {side: run[side]["reference"] for side in ("baseline", "tuned") if run.get(side)}
    facts |= {f"{side}_weights": run[side].get("weights") for side in ("baseline", "tuned") if run.get(side)}
    facts |= {name: run.get(name) for name in ("device", "dtype")} | {
        f"cases_{name}": n for name, n in cases.items()
    }
    for name, value in facts.items():
        if value is not None:
            xml.add_global_property(f"gate_{name}", visible(str(value)))
