"""Paths of suites in, what a training is watched by out: cases narrowed to a sample, and the probes that they need."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.documents.within import PROJECT, Reach
from harness.errors import InputError, NoEvidenceError, Problem, shown_path
from harness.evaluation.ask import Answered
from harness.evaluation.permission import code_problem
from harness.gate.cases import Case, cases
from harness.gate.compare import comparison
from harness.gate.verdict import judge
from harness.scoring import Score, load_scorers
from harness.stats.sampling import stratified
from harness.suites.detect import has_ending, look_through
from harness.suites.read import read_suite
from harness.suites.suite import Probe, Suite
from harness.visible import visible

logger = logging.getLogger("harness")

SHOWN = 5
"""So many cases are named where any number may have the same fault."""


def read_all(paths: Sequence[Path], allow_code: bool, reach: Reach = PROJECT) -> list[Suite]:
    """The suites of files, and of folders and the folders in them.

    Raises:
        InputError: with all that is wrong in any of them: a suite that cannot be read, a name that stands twice, a
            suite that runs code where none may.
        NoEvidenceError: there are none.
    """
    problems: list[Problem] = []
    suites: dict[str, Suite] = {}
    for file in dict.fromkeys(_files(paths)):
        try:
            suite = read_suite(file, load_scorers(), reach)
        except InputError as error:
            problems += error.problems
            continue
        problems += _problems(suite, suites.get(suite.name), allow_code)
        suites[suite.name] = suite
    if problems:
        raise InputError(problems)
    if not suites:
        raise NoEvidenceError("no suites were given, so no forgetting would be seen")
    return list(suites.values())


def sampled(suites: Sequence[Suite], n: int | None, seed: int) -> list[Case]:
    """The cases of suites, of at most `n` probes in all; None takes every probe.

    A case none of whose probes is in the sample is left out; a gate over `each` keeps all of its own.
    """
    every = [case for suite in suites for case in cases(suite)]
    if n is None:
        return every
    pool = {
        (case.suite.name, probe.id): probe
        for case in every
        if case.gate.over != "each"
        for probe in case.probes
    }
    keys = sorted(pool)
    chosen = set(stratified(keys, lambda key: (key[0], pool[key].category), n, seed))
    narrowed = [case if case.gate.over == "each" else _narrowed(case, chosen) for case in every]
    return [case for case in narrowed if case.probes]


def probes_of(watched: Sequence[Case]) -> dict[str, list[Probe]]:
    """The probes that some of the cases need, each once, by suite."""
    found: dict[str, dict[str, Probe]] = {}
    for case in watched:
        found.setdefault(case.suite.name, {}).update({probe.id: probe for probe in case.probes})
    return {suite: list(probes.values()) for suite, probes in found.items()}


def blind(case: Case, baseline: Mapping[str, Score]) -> bool:
    """Whether a case could lose all that the baseline knows, and would not be called forgotten."""
    right = sum(baseline[probe.id].right for probe in case.probes)
    if case.gate.max_drop is None:
        return not right
    n = len(case.probes)
    return (
        judge(comparison(kept=0, lost=right, gained=0, missed=n - right), case.gate.max_drop) != "FORGOTTEN"
    )


def check_sight(watched: Sequence[Case], baseline: Mapping[str, Answered]) -> None:
    """Say which cases see nothing, for the baseline is right on too few of their probes.

    Raises:
        NoEvidenceError: all are such.
    """
    compared = [case for case in watched if not case.tuned_alone]
    unseen = [case.title for case in compared if blind(case, baseline[case.suite.name].scores)]
    if not unseen:
        return
    told = ", ".join(unseen[:SHOWN]) + (", ..." if len(unseen) > SHOWN else "")
    if len(unseen) == len(watched):
        raise NoEvidenceError(
            f"the baseline is right on too few probes for any case to be forgotten: {told}\n"
            "  give suites that it can answer, or a larger sample"
        )
    logger.warning(
        "%d of %d cases cannot be seen to be forgotten, for the baseline is right on too few of their probes: %s",
        len(unseen), len(watched), told,
    )  # fmt: skip


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = list(look_through(path))
        for file, sniffed in found:
            if not has_ending(file):
                logger.warning(
                    "%s looks like a suite and was not read: %s", shown_path(file), visible(sniffed.reason)
                )
        suites = sorted(file for file, _ in found if has_ending(file))
        if not suites:
            raise NoEvidenceError(f"{shown_path(path)}: the folder holds no suites")
        yield from suites


def _problems(suite: Suite, namesake: Suite | None, allow_code: bool) -> Iterator[Problem]:
    if namesake is not None:
        yield Problem(
            suite.span, f"a second suite is called '{suite.name}'", f"the first is at {namesake.span}"
        )
    if problem := code_problem(suite, suite.probes, allow_code, "allow_code=True"):
        yield problem


def _narrowed(case: Case, chosen: set[tuple[str, str]]) -> Case:
    return replace(
        case, probes=tuple(probe for probe in case.probes if (case.suite.name, probe.id) in chosen)
    )
