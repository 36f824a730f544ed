"""`lint`: suite files in; every error of all of them, what weakens them, and a line about each, out. No model is loaded."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.cli.options import Commands, add_reading, add_suites, reach_of
from harness.errors import Problem, shown_path, told
from harness.terminal import say, show
from harness.wording import count

if TYPE_CHECKING:
    from harness.suites.suite import Suite


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("lint", help="check suite files without a model; every error at once")
    add_suites(parser)
    parser.add_argument("--strict", action="store_true", help="warnings alone end in exit code 1")
    add_reading(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Check suites; 0 when all can be run, 2 when some cannot, as pytest would; with `--strict` 1 for warnings alone.

    Raises:
        NoEvidenceError: a folder has no suites.
    """
    from harness.authoring.lint_rules import weaknesses
    from harness.evaluation.suites import read_all, under_another_name

    suites, problems = read_all(parsed.files, reach_of(parsed))
    for suite in suites:
        show(_line(suite))
    for text in told(problems):
        say(text)
    if any(_is_a_strange_score(problem) for problem in problems):
        say("scores that a conftest.py registers are known with --conftest FILE")
    warnings = [
        *dict.fromkeys(under_another_name(parsed.files)),
        *(warning for suite in suites for warning in weaknesses(suite)),
    ]
    for text in told([replace(warning, message=f"warning: {warning.message}") for warning in warnings]):
        say(text)
    found = [(len(problems), "problem"), (len(warnings), "warning")]
    if counted := ", ".join(count(number, noun) for number, noun in found if number):
        say(counted)
    if problems:
        return 2
    return 1 if warnings and parsed.strict else 0


def _is_a_strange_score(problem: Problem) -> bool:
    """Whether a score is unknown and no known one is near, so that it may well be the user's own."""
    return problem.message.startswith("unknown score ") and "did you mean" not in (problem.hint or "")


def _line(suite: Suite) -> str:
    gates = ", ".join(
        f"{gate.over} ({gate.require})" if gate.over == "each" else f"{gate.over} ({gate.max_drop:g})"
        for gate in suite.gates
    )
    assert suite.path is not None
    categories = len(suite.categories())
    return (
        f"{shown_path(suite.path)}: {suite.name}, {count(len(suite.probes), 'probe')}"
        + (f" in {count(categories, 'category', 'categories')}" if categories else "")
        + f", {suite.severity}; gates over {gates}"
    )
