"""The first suite that README and docs/authoring.md show: one suite, sound, of what small models know."""

from __future__ import annotations

import re

import pytest

from harness.authoring.lint_rules import weaknesses


@pytest.fixture
def first(root, read):
    """Reads the first suite of a page."""

    def read_first(page: str):
        text = (root / page).read_text(encoding="utf-8")
        found = next(
            block
            for block in re.findall(r"^```yaml\n(.*?)^```$", text, re.M | re.S)
            if block.startswith("suite:")
        )
        return read(found)

    return read_first


@pytest.mark.parametrize("page", ["README.md", "docs/authoring.md"])
def test_the_first_suite_is_sound_and_not_weak(first, page):
    suite = first(page)
    assert weaknesses(suite, with_battery=True) == []
    assert [gate.over for gate in suite.gates] == ["each"]
    assert len(suite.probes) == 4


def test_both_pages_ask_the_same(first):
    asked = [
        [(probe.id, probe.fields, probe.answers) for probe in first(page).probes]
        for page in ("README.md", "docs/authoring.md")
    ]
    assert asked[0] == asked[1]


@pytest.mark.parametrize("page", ["README.md", "docs/authoring.md", "docs/troubleshooting.md"])
def test_the_page_says_what_the_baseline_must_know(root, page):
    text = (root / page).read_text(encoding="utf-8")
    assert "--baseline=./last-release" in text
    assert "VACUOUS" in text
