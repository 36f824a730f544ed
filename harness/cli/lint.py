"""Suite files in; every error of all of them, what weakens them, and a line about each, out. No model is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from harness.cli.terminal import say, show
from harness.errors import InputError, Problem, Span, SuiteError, shown_path, told
from harness.gate.weakness import weaknesses
from harness.reporting.wording import count
from harness.scoring import load_scorers
from harness.suites.detect import has_ending, look_through
from harness.suites.read import read_suite
from harness.suites.suite import Suite
from harness.suites.within import PROJECT, Reach


def lint(paths: Sequence[Path], strict: bool = False, reach: Reach = PROJECT) -> int:
    """Check suites; 0 when all can be run, 2 when some cannot, as pytest would.

    Args:
        strict: warnings alone end in 1 instead of 0.
        reach: where the data that suites name may lie.

    Raises:
        InputError: a folder has no suites.
    """
    suites, problems = _read(paths, reach)
    for suite in suites:
        show(_line(suite))
    for text in told(problems):
        say(text)
    if any(_is_a_strange_score(problem) for problem in problems):
        say("scores that a conftest.py registers are known with --conftest FILE")
    warnings = [
        *dict.fromkeys(_under_another_name(paths)),
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


def read_suites(paths: Sequence[Path], reach: Reach = PROJECT) -> list[Suite]:
    """The suites of files and folders, in order, for a command that needs all of them to be sound.

    Raises:
        SuiteError: with everything wrong in all of them; a path that is not there is wrong too.
        InputError: a folder has no suites.
    """
    suites, problems = _read(paths, reach)
    if problems:
        raise SuiteError(problems)
    return suites


def _read(paths: Sequence[Path], reach: Reach) -> tuple[list[Suite], list[Problem]]:
    problems: list[Problem] = []
    suites: list[Suite] = []
    scorers = load_scorers()
    for path in suite_files(paths):
        try:
            suites.append(read_suite(path, scorers, reach))
        except SuiteError as error:
            problems += error.problems
    return suites, [*problems, *_repeated_names(suites)]


def suite_files(paths: Sequence[Path]) -> Iterator[Path]:
    """The suite files that paths mean, each once; a folder means those in it and below, and what nearly is one.

    Raises:
        InputError: a folder has no suites.
    """
    seen: set[Path] = set()
    for path in paths:
        found = [path]
        if path.is_dir():
            found = [file for file, _ in look_through(path) if has_ending(file)]
            if not found:
                others = list(_under_another_name([path]))
                raise InputError([Problem(None, f"{path}: no suite files in this folder"), *others])
        yield from (file for file in found if file.resolve() not in seen)
        seen.update(file.resolve() for file in found)


def _under_another_name(paths: Sequence[Path]) -> Iterator[Problem]:
    """The files in folders that hold a suite under another name, such as an editor's copy."""
    for path in paths:
        for file, found in look_through(path) if path.is_dir() else ():
            if not has_ending(file):
                yield Problem(Span(file, 1, 1), "looks like a suite and was not read", found.reason)


def _repeated_names(suites: Sequence[Suite]) -> Iterator[Problem]:
    first: dict[str, Suite] = {}
    for suite in suites:
        other = first.setdefault(suite.name, suite)
        if other is not suite:
            yield Problem(
                suite.span, f"a second suite called '{suite.name}'", f"{other.span} is called so already"
            )


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
