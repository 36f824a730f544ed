"""Suites that are linted in, what is wrong or out of date in the accepted.yaml beside them out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from harness.errors import Problem, SuiteError
from harness.suites.accepted import accepted_in
from harness.suites.suite import Suite

TAKE_OUT = "take the entry out, or accept the loss again: python -m harness accept"


def accepted_problems(suites: Sequence[Suite], today: date) -> tuple[list[Problem], list[Problem]]:
    """What keeps a file of accepted losses from being read, and the entries that no longer count, as warnings."""
    problems: list[Problem] = []
    warnings: list[Problem] = []
    folders = dict.fromkeys(suite.path.parent for suite in suites if suite.path is not None)
    for folder in folders:
        try:
            warnings += _stale(folder, suites, today)
        except SuiteError as error:
            problems += error.problems
    return problems, warnings


def _stale(folder: Path, suites: Sequence[Suite], today: date) -> Iterator[Problem]:
    """Of the suites at hand; a file may name others of its folder."""
    probes = {
        suite.name: {probe.id for probe in suite.probes}
        for suite in suites
        if suite.path and suite.path.parent == folder
    }
    for item, span in accepted_in(folder).items():
        if item.suite in probes and item.probe not in probes[item.suite]:
            yield Problem(span, f"the suite has no probe '{item.probe}', so nothing is accepted", TAKE_OUT)
        elif item.until is not None and item.until < today:
            yield Problem(span, f"the loss of '{item.id}' was accepted until {item.until}", TAKE_OUT)
