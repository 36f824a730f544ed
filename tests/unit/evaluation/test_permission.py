"""Whether a suite's code may run: not allowed, not to be confined here, or neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import Span
from harness.evaluation.permission import code_problem
from harness.scoring.python import Python
from harness.scoring.text import Mentions
from harness.suites.scorer import Scorer
from harness.suites.suite import Probe, Suite

HERE, THERE = Span(Path("s.yaml"), 1, 1), Span(Path("s.yaml"), 7, 5)
RUNS = "the suite 's' runs code that a model wrote: the probe 'b' has the score"


class Own(Scorer):
    """Runs code in a way of its own."""

    name = "own"
    runs_code = True


PYTHON = Python(tests=["assert f()"])


def problem(scorer: Scorer, allowed: bool, span: Span | None = THERE) -> str | None:
    probes = (
        Probe("a", Mentions(), answers=("x",)),
        Probe("b", scorer, span=span),
    )
    suite = Suite("s", (), probes, span=HERE)
    found = code_problem(suite, suite.probes, allowed)
    return None if found is None else found.on_command_line


def test_code_that_is_not_allowed():
    how = "(it runs confined: no network, no other process, no file but its own)"
    assert problem(PYTHON, False) == f"s.yaml:7:5: {RUNS} 'python'\n  allow it: --allow-code {how}"
    assert problem(PYTHON, False, span=None) == f"s.yaml:1:1: {RUNS} 'python'\n  allow it: --allow-code {how}"


def test_a_score_of_the_users_own_is_not_said_to_be_confined():
    assert problem(Own(), False) == f"s.yaml:7:5: {RUNS} 'own'\n  allow it: --allow-code"
    assert problem(Own(), True) is None


def test_code_that_cannot_be_confined(monkeypatch):
    monkeypatch.setattr(Python, "refusal", classmethod(lambda cls: "no floor"))
    assert problem(PYTHON, True) == f"s.yaml:7:5: {RUNS} 'python'\n  no floor"


@pytest.mark.parametrize("allowed", [True, False])
def test_a_suite_without_code(allowed, monkeypatch):
    monkeypatch.setattr(Python, "refusal", classmethod(lambda cls: pytest.fail("asked")))
    assert problem(Mentions(), allowed) is None
