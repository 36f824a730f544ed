"""Paths in, the suites they name out, or every problem in all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from harness.documents.within import PROJECT, Reach
from harness.errors import NoEvidenceError, Problem, Span, SuiteError, listed, shown_path
from harness.scoring import load_scorers
from harness.suites.copies import without_copies
from harness.suites.detect import has_ending, is_folder, look_through
from harness.suites.read import read_suite
from harness.suites.suite import Suite


def read_suites(paths: Sequence[Path], reach: Reach = PROJECT) -> list[Suite]:
    """The suites of files and folders, in order; for callers that need every one of them to be valid.

    Raises:
        SuiteError: with every problem in all of them, missing files included.
        NoEvidenceError: a folder has no suites.
    """
    suites, problems = read_all(paths, reach)
    if problems:
        raise SuiteError(problems)
    return suites


def read_all(paths: Sequence[Path], reach: Reach) -> tuple[list[Suite], list[Problem]]:
    """The suites of files and folders that can be read, in order, and the problems of those that cannot.

    Raises:
        NoEvidenceError: a folder has no suites, and nothing else is wrong.
    """
    problems: list[Problem] = []
    suites: list[Suite] = []
    files, empty, notes = suite_files(paths)
    scorers = load_scorers()
    for path in files:
        try:
            suite = read_suite(path, scorers, reach)
            suites.append(replace(suite, notes=(*suite.notes, *notes.get(path, ()))))
        except SuiteError as error:
            problems += error.problems
    problems += _repeated_names(suites)
    missing = [Problem(None, f"{shown_path(folder)}: no suite files in this folder") for folder in empty]
    if missing and not problems:
        raise NoEvidenceError(*listed([*under_another_name(empty), *missing]))
    return suites, [*problems, *missing]


def suite_files(paths: Sequence[Path]) -> tuple[list[Path], list[Path], dict[Path, list[str]]]:
    """The suite files at these paths, each once, the folders without any, and notes by file on stale copies.

    A folder is searched recursively, and yields near misses for the reader to reject.
    """
    files: dict[str, Path] = {}
    empty: list[Path] = []
    notes: dict[Path, list[str]] = {}
    for path in paths:
        found = [path]
        if is_folder(path):
            found, stale = without_copies([file for file, _ in look_through(path) if has_ending(file)], path)
            notes |= stale
            if not found:
                empty.append(path)
        for file in found:
            files.setdefault(os.path.realpath(file), file)
    return list(files.values()), empty, notes


def under_another_name(paths: Sequence[Path]) -> Iterator[Problem]:
    """Files in folders that hold a suite without being named like one, such as an editor's copy."""
    for path in paths:
        for file, found in look_through(path) if is_folder(path) else ():
            if not has_ending(file):
                yield Problem(Span(file, 1, 1), "looks like a suite and was not read", found.reason)


def _repeated_names(suites: Sequence[Suite]) -> Iterator[Problem]:
    first: dict[str, Suite] = {}
    for suite in suites:
        other = first.setdefault(suite.name, suite)
        if other is not suite:
            yield second_suite(suite, other)


def second_suite(suite: Suite, first: Suite) -> Problem:
    """The problem of a suite whose name is taken: a record could not distinguish the two."""
    return Problem(suite.span, f"a second suite called '{suite.name}'", f"the first is at {first.span}")
