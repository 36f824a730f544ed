"""Run a checklist on one model: a function that answers prompts in, the checks it passes and fails out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from harness.api.suites import check_code, suite_at, without_baseline
from harness.engine.functions import FunctionEngine
from harness.evaluation.arguments import check, check_flags
from harness.evaluation.ask import ask
from harness.suites.severity import SEVERITIES, Severity


class Failure(TypedDict):
    """A check that the model failed."""

    test: str
    severity: Severity
    response: str


class ChecklistResult(TypedDict):
    """{"passed", "failed", "failures": [{"test", "severity", "response"}], "score"}."""

    passed: int
    failed: int
    failures: list[Failure]
    score: float


def run_forgetting_checklist(
    generate_fn: Callable[[str], str],
    suite: str | Path | None = None,
    *,
    allow_code: bool = False,
    allow_outside: bool = False,
    allow_task_code: bool = False,
) -> ChecklistResult:
    """Run the checklist on one model, without a baseline, which a score that is `fluent` is judged without too.

    Args:
        generate_fn: takes a prompt and returns the model's answer.
        suite: the path of a checklist; the default is the one that ships.
        allow_code: whether a score may run code in an answer.
        allow_outside: whether the checklist may read probes from outside its folder and the working folder.
        allow_task_code: whether Python that comes with a task of lm-evaluation-harness may run, unconfined.

    Returns:
        The numbers of checks passed and failed, the failures with their severity and answer, most severe first, and the
        share of checks passed.

    Raises:
        SuiteError: the checklist cannot be read.
        EngineError: the function returned something other than text.
        ScorerError: a score raised, or would run code without permission.
        HarnessError: an argument is of the wrong kind.
    """
    check_flags(allow_code=allow_code, allow_outside=allow_outside, allow_task_code=allow_task_code)
    check("generate_fn", generate_fn, callable(generate_fn), "a function from prompt to text")
    checklist = suite_at(suite, "checklist", allow_outside, allow_task_code)
    check_code(checklist, allow_code)
    engine, word_order = FunctionEngine(generate_fn), without_baseline(checklist)
    scores = ask(engine, checklist, checklist.probes, word_order=word_order, allow_code=allow_code).scores
    failed = sorted(
        (probe for probe in checklist.probes if not scores[probe.id].right),
        key=lambda probe: SEVERITIES.index(probe.severity),
    )
    passed = len(checklist.probes) - len(failed)
    return {
        "passed": passed,
        "failed": len(failed),
        "failures": [
            {"test": probe.id, "severity": probe.severity, "response": scores[probe.id].shown}
            for probe in failed
        ],
        "score": passed / len(checklist.probes),
    }
