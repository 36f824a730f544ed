"""`lint`: print every error and weakness of suites, and a line about each. No model is loaded."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.cli.options import Commands, add_reading, add_suites, reach_of
from harness.errors import Problem, listed, shown_path
from harness.terminal import say, show
from harness.wording import count

if TYPE_CHECKING:
    from harness.suites.suite import Gate, Suite


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("lint", help="check suites and report every error at once; loads no model")
    add_suites(parser)
    parser.add_argument("--strict", action="store_true", help="exit with 1 for warnings alone")
    parser.add_argument(
        "--no-battery", dest="battery", action="store_false", help="do not try the scores on made-up replies"
    )
    add_reading(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Check suites; 0 if all can run, 2 if some cannot, as in pytest; with `--strict`, 1 for warnings alone.

    Raises:
        NoEvidenceError: a folder has no suites.
    """
    from harness.authoring.findings import repeated_ids
    from harness.authoring.lint_accepted import accepted_problems
    from harness.authoring.linted import weaknesses_of
    from harness.evaluation.acceptances import today
    from harness.evaluation.suites import read_all, under_another_name
    from harness.suites.acceptance import FILE
    from harness.suites.detect import sniff

    reach = reach_of(parsed)
    accepted = [
        path for path in parsed.files if path.name == FILE and path.is_file() and sniff(path).kind != "suite"
    ]
    suites, problems = read_all([path for path in parsed.files if path not in accepted], reach)
    wrong, stale = accepted_problems(accepted, suites, today(), reach)
    problems += wrong
    for suite in suites:
        show(_line(suite))
        for note in suite.notes:
            say(f"note: {note}")
    for text in listed(problems):
        say(text)
    if any(map(_is_unknown_score, problems)):
        say("for scores that a conftest.py registers, add --conftest FILE")
    warnings = [
        *dict.fromkeys(under_another_name(parsed.files)),
        *weaknesses_of(suites, with_battery=parsed.battery),
        *repeated_ids(suites),
        *stale,
    ]
    for text in listed([replace(warning, message=f"warning: {warning.message}") for warning in warnings]):
        say(text)
    counts = [(len(problems), "problem"), (len(warnings), "warning")]
    if counted := ", ".join(count(number, noun) for number, noun in counts if number):
        say(counted)
    if problems:
        return 2
    return 1 if warnings and parsed.strict else 0


def _is_unknown_score(problem: Problem) -> bool:
    """Whether a score is unknown and resembles no known one, so that it may be the user's own."""
    return problem.message.startswith("unknown score ") and "did you mean" not in (problem.hint or "")


def _line(suite: Suite) -> str:
    gates = ", ".join(f"{gate.over} ({_rule(gate)})" for gate in suite.gates)
    assert suite.path is not None
    categories = len(suite.categories())
    return (
        f"{shown_path(suite.path)}: {suite.name}, {count(len(suite.probes), 'probe')}"
        + (f" in {count(categories, 'category', 'categories')}" if categories else "")
        + f", {suite.severity}; gates over {gates}"
    )


def _rule(gate: Gate) -> str:
    from harness.suites.suite import EachGate, MarginGate, RiseGate

    if isinstance(gate, EachGate):
        return gate.require
    assert isinstance(gate, MarginGate | RiseGate), "a suite has no gate over others"
    return f"{gate.max_rise:g}" if isinstance(gate, RiseGate) else f"{gate.max_drop:g}"
