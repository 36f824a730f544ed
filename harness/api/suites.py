"""A suite file, or the name of a suite that ships, in; the Suite out, if it may run."""

from __future__ import annotations

import logging
from pathlib import Path

from harness.documents.within import Reach
from harness.errors import ScorerError
from harness.evaluation.permission import code_problem
from harness.evaluation.word_order import WordOrder, asked_for
from harness.scoring import load_scorers
from harness.shipped import SUITES
from harness.suites.read import read_suite
from harness.suites.suite import Suite

logger = logging.getLogger("harness")


def shipped_suite(name: str) -> Path:
    """The path of a suite that ships, by the name of its file."""
    return SUITES / f"{name}.yaml"


def suite_at(path: str | Path | None, name: str, allow_outside: bool, allow_task_code: bool) -> Suite:
    """The suite in a file, or the one that ships under `name` if there is no path; raises SuiteError."""
    file = Path(path) if path else shipped_suite(name)
    return read_suite(file, load_scorers(), Reach(anywhere=allow_outside, code=allow_task_code))


def check_code(suite: Suite, allow_code: bool) -> None:
    """Raise ScorerError if a suite would run code without permission, before any model is loaded."""
    if problem := code_problem(suite, suite.probes, allow_code):
        raise ScorerError(problem.text)


def without_baseline(suite: Suite) -> WordOrder:
    """Judges one model by the rules of scores alone, with a warning if some are `fluent`: that is for a baseline to tell."""
    if fluent := len(asked_for(suite.probes)):
        logger.warning(
            "%s: %d of %d probes ask a baseline for word order ('fluent'); with one model they are judged without it",
            suite.name,
            fluent,
            len(suite.probes),
        )
    return WordOrder(None)
