"""The severities: one list, most severe first, each with its meaning."""

from __future__ import annotations

from harness.suites.format import SuiteFormat
from harness.suites.severity import MEANINGS, SEVERITIES


def test_each_has_a_meaning_in_their_order():
    assert tuple(MEANINGS) == SEVERITIES


def test_a_suite_may_say_these_and_no_others():
    assert SuiteFormat.model_json_schema()["properties"]["severity"]["enum"] == list(SEVERITIES)
