"""Suite files in; every error of all of them, or a line about each, out. No model is loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import InputError, Problem, SuiteError, shown_path
from harness.plugin.sniff import is_suite_file
from harness.reporting.wording import count
from harness.scoring import SCORERS
from harness.suites.read import read_suite
from harness.suites.suite import Suite


def lint(paths: Sequence[Path]) -> int:
    """Check suites; 0 when all can be run, 2 when some cannot, as pytest would.

    Raises:
        InputError: a path is not there, or a folder has no suites.
    """
    suites, problems = _read(paths)
    for suite in suites:
        print(_line(suite))
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        print(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}", file=sys.stderr)
    return 2 if problems else 0


def read_suites(paths: Sequence[Path]) -> list[Suite]:
    """The suites of files and folders, in order, for a command that needs all of them to be sound.

    Raises:
        SuiteError: with everything wrong in all of them.
        InputError: a path is not there, or a folder has no suites.
    """
    suites, problems = _read(paths)
    if problems:
        raise SuiteError(problems)
    return suites


def _read(paths: Sequence[Path]) -> tuple[list[Suite], list[Problem]]:
    problems: list[Problem] = []
    suites: list[Suite] = []
    for path in suite_files(paths):
        try:
            suites.append(read_suite(path, SCORERS))
        except SuiteError as error:
            problems += error.problems
    return suites, [*problems, *_repeated_names(suites)]


def suite_files(paths: Sequence[Path]) -> Iterator[Path]:
    """The suite files that paths mean, each once; a folder means those in it and below.

    Raises:
        InputError: a folder has no suites.
    """
    seen: set[Path] = set()
    for path in paths:
        found = [path]
        if path.is_dir():
            found = [file for file in sorted(path.rglob("*.y*ml")) if is_suite_file(file)]
            if not found:
                raise InputError([Problem(None, f"{path}: no suite files in this folder")])
        yield from (file for file in found if file.resolve() not in seen)
        seen.update(file.resolve() for file in found)


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
