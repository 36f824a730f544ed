"""The tree of errors: what a problem looks like and in which order problems stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import (
    HarnessError,
    InputError,
    LimitError,
    NoEvidenceError,
    Problem,
    RecipeError,
    Span,
    SuiteError,
    did_you_mean,
    listed,
    reason,
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


# Values in messages are the user's, or a stranger's


def test_no_message_is_obeyed():
    error = HarnessError("--model \x1b[2J\u202ex\ny: no such\n  did you mean '\u200b'?\n::error::\x9b")
    assert str(error) == (
        "--model \\u001b[2J\\u202ex\\ny: no such\n  did you mean '\\u200b'?\\n::error::\\u009b"
    )
    assert str(NoEvidenceError("سلام\n  👩\u200d👧")) == "سلام\n  👩\u200d👧"


def test_no_problem_begins_a_line_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    span = Span(tmp_path / "a\x1b\n.yaml", 1, 2)
    problems = [Problem(span, "unknown key 'x\n  FAKE'", "a\nFAKE"), Problem(None, "::error::\n1 passed")]
    assert str(SuiteError(problems)) == (
        "a\\u001b\\n.yaml:1:2: unknown key 'x\\n  FAKE'\n  a\\nFAKE\n\\u003a:error::\\n1 passed"
    )


def test_what_the_system_says():
    assert reason(OSError(28, "No space left on device")) == "No space left on device"
    assert reason(OSError("odd\nand more")) == "odd"
    assert reason(TimeoutError()) == "TimeoutError"


# Much of it


def test_of_many_problems_the_first_are_told_and_the_others_counted():
    many = [Problem(Span(Path("/a.yaml"), line, 1), f"line {line}") for line in range(1, 103)]
    assert listed(many[:100]) == [str(problem) for problem in many[:100]]
    assert listed(many[:101])[-1] == "and 1 more problem"
    assert listed(many)[-1] == "and 2 more problems"
    assert listed([*many, Problem(None, "the end")])[-2:] == ["and 2 more problems", "the end"]
    error = InputError([*many, Problem(None, "the end")])
    assert len(error.problems) == 103
    assert str(error).splitlines()[-1] == "the end"


def test_a_long_message_is_told_in_part():
    problem = Problem(None, "x" * 600 + "y" * 600, "z" * 2000)
    assert str(problem) == f"{'x' * 500} ... {'y' * 500}\n  {'z' * 500} ... {'z' * 500}"


def test_names_that_are_long_or_many_are_not_compared():
    assert did_you_mean("max_dorp" * 20, ["max_drop" * 20]) is None
    assert did_you_mean("max_dorp", ["x" * 1_000_000, "max_drop"]) == "did you mean 'max_drop'?"
    assert did_you_mean("max_dorp", [*map(str, range(2000)), "max_drop"]) is None


def test_a_limit_says_what_to_do():
    error = LimitError("too much of it", "take less")
    assert (str(error), error.message, error.hint) == (
        "too much of it\n  take less",
        "too much of it",
        "take less",
    )
    assert isinstance(error, HarnessError)
