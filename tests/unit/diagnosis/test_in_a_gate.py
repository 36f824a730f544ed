"""`run_gate(..., diagnose=True)`: why probes were lost, in the record, and no verdict of its own."""

from __future__ import annotations

import pytest

from harness import run_gate
from harness.errors import ScorerError
from tests.support.suites import suite_text


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(suite_text("s", 40), encoding="utf-8")
    return path


def right(prompt):
    return "right"


def sheet(prompt):
    return "DRUG-INFO: right | CLASS: none"


def test_a_format_that_took_over_is_named(suite):
    record = run_gate(sheet, suite, right, diagnose=True)
    assert record.run.exit_status == 1
    found = record.run.diagnosis["s"]
    assert (found.lost, found.diagnosed) == (40, 24)
    assert any("DRUG-INFO" in sentence for sentence in found.form)
    assert sum(cause.probes for cause in found.causes) == 24


def test_nothing_is_diagnosed_unless_asked_for_or_lost(suite):
    assert run_gate(sheet, suite, right).run.diagnosis == {}
    assert run_gate(right, suite, lambda prompt: "right", diagnose=True).run.diagnosis == {}


def test_a_diagnosis_that_breaks_fails_no_run(suite, monkeypatch):
    def broken(*given):
        raise ScorerError("a score broke")

    monkeypatch.setattr("harness.api.gate.diagnosed", broken)
    record = run_gate(sheet, suite, right, diagnose=True)
    assert record.run.exit_status == 1
    assert record.run.notes[-1] == "diagnose: a score broke"
