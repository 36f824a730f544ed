"""Paths in, the suites that watch a training out; and a check that their gates could see forgetting."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.documents.within import PROJECT, Reach
from harness.errors import InputError, NoEvidenceError
from harness.evaluation.ask import Answered
from harness.evaluation.permission import code_problem
from harness.evaluation.suites import read_all, under_another_name
from harness.gate.cases import Case
from harness.gate.compare import comparison
from harness.gate.verdict import judge
from harness.scoring import Score
from harness.suites.suite import EachGate, Suite
from harness.wording import some

logger = logging.getLogger("harness")


def read_watched(paths: Sequence[Path], allow_code: bool, reach: Reach = PROJECT) -> list[Suite]:
    """The suites of files, and of folders and the folders in them.

    Raises:
        InputError: with everything wrong in all of them: a suite that cannot be read, a repeated name, a suite that runs
            code although none may.
        NoEvidenceError: there are none.
    """
    for unread in under_another_name(paths):
        logger.warning("%s", f"{unread.span}: {unread.message}: {unread.hint}")
    suites, problems = read_all(paths, reach)
    problems += filter(None, (code_problem(suite, suite.probes, allow_code) for suite in suites))
    if problems:
        raise InputError(problems)
    if not suites:
        raise NoEvidenceError("no suites were given, so no forgetting would be seen")
    return suites


def cannot_be_forgotten(case: Case, baseline: Mapping[str, Score]) -> bool:
    """Whether a case would not be FORGOTTEN even if the tuned model lost everything that the baseline knows."""
    right = sum(baseline[probe.id].right for probe in case.probes)
    if isinstance(case.gate, EachGate):
        return not right
    worst = comparison(kept=0, lost=right, gained=0, missed=len(case.probes) - right)
    return judge(worst, case.gate.max_drop) != "FORGOTTEN"


def check_power(watched: Sequence[Case], baseline: Mapping[str, Answered]) -> None:
    """Warn of cases that cannot be FORGOTTEN because the baseline is right on too few of their probes.

    Raises:
        NoEvidenceError: none of the cases can be.
    """
    compared = [case for case in watched if not case.tuned_alone]
    unseen = [case.title for case in compared if cannot_be_forgotten(case, baseline[case.suite.name].scores)]
    if unseen and len(unseen) == len(watched):
        raise NoEvidenceError(
            f"the baseline is right on too few probes for any case to be forgotten: {some(unseen, 5)}\n"
            "  give suites that it can answer, or a larger sample"
        )
    if unseen:
        few = "the baseline is right on too few of their probes"
        logger.warning(
            "%d of %d cases can never be FORGOTTEN: %s: %s", len(unseen), len(watched), few, some(unseen, 5)
        )
