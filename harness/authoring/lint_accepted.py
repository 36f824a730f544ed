"""Files of accepted losses in, what is wrong or out of date in them by the suites that they are of out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from harness.documents.within import Reach
from harness.errors import Problem, SuiteError
from harness.evaluation.suites import read_all
from harness.suites.accepted import accepted_file, accepted_in, strangers, suites_of
from harness.suites.suite import Suite

TAKE_OUT = "take the entry out, or accept the loss again: python -m harness accept"


def accepted_problems(
    files: Sequence[Path], suites: Sequence[Suite], today: date, reach: Reach
) -> tuple[list[Problem], list[Problem]]:
    """What keeps files of accepted losses from being read, and the entries that do not count, as warnings.

    Args:
        files: those to check beside the files of the suites.
        suites: those that were read already.
    """
    problems: list[Problem] = []
    warnings: list[Problem] = []
    beside = [accepted_file(suite.name, suite.path) for suite in suites if suite.path is not None]
    for file in {os.path.realpath(file): file for file in (*files, *beside)}.values():
        try:
            warnings += [*strangers(file), *_stale(file, suites, today, reach)]
        except SuiteError as error:
            problems += error.problems
    return problems, warnings


def _stale(file: Path, suites: Sequence[Suite], today: date, reach: Reach) -> Iterator[Problem]:
    """The entries of probes that are gone, and those that have expired."""
    accepted = accepted_in(file)
    known = suites_of(file) if accepted else {}
    wanted = {name: known[name] for item in accepted if (name := item.suite) in known}
    read = [
        suite
        for suite in suites
        if suite.path and suite.name in wanted and suite.path.samefile(wanted[suite.name])
    ]
    others, _ = read_all(
        [path for name, path in wanted.items() if name not in {suite.name for suite in read}], reach
    )
    probes = {suite.name: {probe.id for probe in suite.probes} for suite in (*read, *others)}
    for item, span in accepted.items():
        if item.suite in probes and item.probe not in probes[item.suite]:
            yield Problem(span, f"the suite has no probe '{item.probe}', so nothing is accepted", TAKE_OUT)
        elif item.until is not None and item.until < today:
            yield Problem(span, f"the loss of '{item.id}' was accepted until {item.until}", TAKE_OUT)
