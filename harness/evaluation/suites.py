"""Paths in, the suites that they mean out, or every problem of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.documents.within import PROJECT, Reach
from harness.errors import NoEvidenceError, Problem, Span, SuiteError, shown_path, told
from harness.scoring import load_scorers
from harness.suites.detect import has_ending, look_through
from harness.suites.read import read_suite
from harness.suites.suite import Suite


def read_suites(paths: Sequence[Path], reach: Reach = PROJECT) -> list[Suite]:
    """The suites of files and folders, in order, for a command that needs all of them to be sound.

    Raises:
        SuiteError: with everything wrong in all of them; a path that is not there is wrong too.
        NoEvidenceError: a folder has no suites.
    """
    suites, problems = read_all(paths, reach)
    if problems:
        raise SuiteError(problems)
    return suites


def read_all(paths: Sequence[Path], reach: Reach) -> tuple[list[Suite], list[Problem]]:
    """The suites of files and folders that can be read, in order, and everything that is wrong in all of them.

    Raises:
        NoEvidenceError: a folder has no suites.
    """
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
        NoEvidenceError: a folder has no suites.
    """
    seen: set[Path] = set()
    for path in paths:
        found = [path]
        if path.is_dir():
            found = [file for file, _ in look_through(path) if has_ending(file)]
            if not found:
                others = list(under_another_name([path]))
                raise NoEvidenceError(
                    *told([*others, Problem(None, f"{shown_path(path)}: no suite files in this folder")])
                )
        yield from (file for file in found if file.resolve() not in seen)
        seen.update(file.resolve() for file in found)


def under_another_name(paths: Sequence[Path]) -> Iterator[Problem]:
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
            yield second_suite(suite, other)


def second_suite(suite: Suite, first: Suite) -> Problem:
    """Two suites of one name could not be told apart in a record."""
    return Problem(suite.span, f"a second suite called '{suite.name}'", f"the first is at {first.span}")
