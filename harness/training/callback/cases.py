"""Paths in, the suites that watch a training out; and a check that their gates could see forgetting."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.documents.within import PROJECT, Reach
from harness.engine.requests import Engine
from harness.errors import HarnessError, InputError, NoEvidenceError
from harness.evaluation.arguments import check, check_sample, check_severity, is_whole
from harness.evaluation.ask import Answered
from harness.evaluation.permission import code_problem
from harness.evaluation.session import PairSession
from harness.evaluation.suites import read_all, under_another_name
from harness.evaluation.word_order import asked_for
from harness.gate.cases import Case
from harness.scoring.score import Score
from harness.suites.suite import RiseGate, Suite
from harness.training.callback.step import forgotten
from harness.wording import some

logger = logging.getLogger("harness")


def check_arguments(every: Any, sample: Any, seed: Any, stop_on: Any, fail_on: Any, baseline: Any) -> None:
    """Refuse arguments of the callback that make no sense; raises HarnessError."""
    check_sample(sample, seed)
    check_severity(fail_on)
    check("every", every, is_whole(every, 1), "at least 1 step")
    check("baseline", baseline, baseline is None or isinstance(baseline, Engine), "an Engine, or None")
    if stop_on not in ("forgotten", "failed", None):
        raise HarnessError(f"stop_on must be 'forgotten', 'failed' or None, saw {stop_on!r}")


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


def note_unmeasured(watched: Sequence[Case]) -> None:
    """Warn of suites that ask for word order, which a baseline cannot measure once training has changed it."""
    if fluent := dict.fromkeys(case.suite.name for case in watched if asked_for(case.probes)):
        logger.warning(
            "training changes the baseline, so it cannot measure the word order that 'fluent' asks for; both models are judged "
            "without it in: %s",
            some(list(fluent), 5),
        )


def never_forgotten(watched: Sequence[Case], baseline: Mapping[str, Answered]) -> list[str]:
    """The titles of the cases that would not be forgotten even if the tuned model got every probe wrong.

    Texts have no wrong answers, and cases that judge the tuned model alone no baseline; neither are among them.
    """
    session = PairSession()
    session.need(watched)
    session.know("baseline", baseline)
    session.know("tuned", {name: Answered(known.answers, _wrong(known)) for name, known in baseline.items()})
    for run in session.suites.values():
        run.pair_attempts(_wrong(run.attempts))
    judged = [case for case in watched if not (case.tuned_alone or isinstance(case.gate, RiseGate))]
    return [decision.case.title for decision in session.decide(judged) if not forgotten(decision)]


def failing_unchanged(watched: Sequence[Case], baseline: Mapping[str, Answered]) -> set[str]:
    """The titles of the cases that fail even if training changes no answer, as one does that the baseline only guesses."""
    session = PairSession()
    session.need(watched)
    session.know("baseline", baseline)
    session.know("tuned", baseline)
    judged = [case for case in watched if not case.tuned_alone]
    return {decision.case.title for decision in session.decide(judged) if decision.outcome == "failed"}


def _wrong(answered: Answered) -> dict[str, Score]:
    return {id: replace(score, right=False) for id, score in answered.scores.items()}


def check_power(watched: Sequence[Case], baseline: Mapping[str, Answered]) -> None:
    """Warn of cases that cannot be forgotten, because too few of their probes were asked or the baseline has too few right.

    Raises:
        NoEvidenceError: none of the cases can be.
    """
    unseen = never_forgotten(watched, baseline)
    if unseen and len(unseen) == len(watched):
        raise NoEvidenceError(
            "no case could be forgotten: too few of its probes were asked, or the baseline is right on too few of them: "
            f"{some(unseen, 5)}\n"
            "  give suites that it can answer, or a larger sample"
        )
    if unseen:
        few = "too few of their probes were asked, or the baseline is right on too few of them"
        logger.warning(
            "%d of %d cases can never be forgotten: %s: %s", len(unseen), len(watched), few, some(unseen, 5)
        )
