"""The tree of errors: what a problem looks like and in which order problems stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import (
    HarnessError,
    InputError,
    NoEvidenceError,
    Problem,
    RecipeError,
    Span,
    SuiteError,
    did_you_mean,
    shown_path,
)


def test_a_problem_reads_as_place_message_hint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    problem = Problem(Span(tmp_path / "a.yaml", 3, 4), "unknown key 'x'", "did you mean 'y'?")
    assert str(problem) == "a.yaml:3:4: unknown key 'x'\n  did you mean 'y'?"
    assert str(Problem(None, "no place")) == "no place"


def test_problems_stand_in_the_order_of_their_places_and_those_without_one_last():
    a, b = Path("/a.yaml"), Path("/b.yaml")
    problems = [
        Problem(None, "nowhere"),
        Problem(Span(b, 1, 1), "b"),
        Problem(Span(a, 10, 1), "ten"),
        Problem(Span(a, 9, 1), "nine"),
    ]
    for given in (problems, (problem for problem in problems)):
        assert [problem.message for problem in InputError(given).problems] == ["nine", "ten", "b", "nowhere"]


def test_a_path_elsewhere_is_shown_whole():
    assert shown_path(Path("/elsewhere/a.yaml")) == "/elsewhere/a.yaml"


@pytest.mark.parametrize("error", [SuiteError, RecipeError, InputError])
def test_all_are_the_users_input(error):
    assert issubclass(error, HarnessError)
    assert not issubclass(error, AssertionError)


def test_no_evidence_is_a_value_error_too():
    assert issubclass(NoEvidenceError, HarnessError)
    assert issubclass(NoEvidenceError, ValueError)


@pytest.mark.parametrize(
    ("seen", "hint"), [("max_dorp", "did you mean 'max_drop'?"), ("x", None), ("", None)]
)
def test_did_you_mean(seen, hint):
    assert did_you_mean(seen, ["max_drop", "over"]) == hint
