"""Suite files in; every error of all of them, what weakens them, and a line about each, out. No model is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.authoring.lint_rules import weaknesses
from harness.documents.within import PROJECT, Reach
from harness.errors import Problem, shown_path, told
from harness.evaluation.suites import read_all, under_another_name
from harness.suites.suite import Suite
from harness.terminal import say, show
from harness.wording import count


def lint(paths: Sequence[Path], strict: bool = False, reach: Reach = PROJECT) -> int:
    """Check suites; 0 when all can be run, 2 when some cannot, as pytest would.

    Args:
        strict: warnings alone end in 1 instead of 0.
        reach: where the data that suites name may lie.

    Raises:
        InputError: a folder has no suites.
    """
    suites, problems = read_all(paths, reach)
    for suite in suites:
        show(_line(suite))
    for text in told(problems):
        say(text)
    if any(_is_a_strange_score(problem) for problem in problems):
        say("scores that a conftest.py registers are known with --conftest FILE")
    warnings = [
        *dict.fromkeys(under_another_name(paths)),
        *(warning for suite in suites for warning in weaknesses(suite)),
    ]
    for text in told([replace(warning, message=f"warning: {warning.message}") for warning in warnings]):
        say(text)
    found = [(len(problems), "problem"), (len(warnings), "warning")]
    if counted := ", ".join(count(number, noun) for number, noun in found if number):
        say(counted)
    if problems:
        return 2
    return 1 if warnings and strict else 0


def _is_a_strange_score(problem: Problem) -> bool:
    """Whether a score is unknown and no known one is near, so that it may well be the user's own."""
    return problem.message.startswith("unknown score ") and "did you mean" not in (problem.hint or "")


def _line(suite: Suite) -> str:
    gates = ", ".join(
        f"{gate.over} ({gate.require})" if gate.max_drop is None else f"{gate.over} ({gate.max_drop:g})"
        for gate in suite.gates
    )
    assert suite.path is not None
    categories = len(suite.categories())
    return (
        f"{shown_path(suite.path)}: {suite.name}, {count(len(suite.probes), 'probe')}"
        + (f" in {count(categories, 'category', 'categories')}" if categories else "")
        + f", {suite.severity}; gates over {gates}"
    )
