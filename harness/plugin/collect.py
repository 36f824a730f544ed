"""A suite file in, pytest items out: one for each case, as functions that take the real fixtures."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.engine.requests import Engine
from harness.errors import HarnessError, shown_path
from harness.gate.cases import Case, cases
from harness.gate.verdict import Decision
from harness.gate.warning import ForgettingWarning
from harness.plugin.options import RunOptions
from harness.reporting.explain import explain
from harness.scoring import load_scorers
from harness.suites.read import read_suite


class SuiteFile(pytest.File):
    """A suite: collects one item a case."""

    def collect(self) -> Iterator[CaseItem]:
        """The cases of the suite; raises SuiteError for a file that cannot be read, ScorerError for a score."""
        suite = read_suite(self.path, load_scorers())
        for case in cases(suite):
            yield CaseItem.from_parent(
                self, name=case.slice, case=case, callobj=ask_tuned if case.tuned_alone else ask_both
            )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A suite's own problems without a traceback, which would only show the harness."""
        if isinstance(excinfo.value, HarnessError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class CaseItem(pytest.Function):
    """One case; where it is reported is the line of its gate or probe."""

    def __init__(self, *, case: Case, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.case = case
        self.decision: Decision | None = None
        self.add_marker(case.severity)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """File, line (from 0) and name for pytest's output."""
        line = self.case.span.line - 1 if self.case.span else None
        return self.path, line, self.name

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Input errors as their message alone; our own bugs keep their traceback."""
        if isinstance(excinfo.value, HarnessError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


def ask_both(request: pytest.FixtureRequest, baseline: Engine, tuned: Engine) -> None:
    """The body of a case that compares: ask both models, decide, and pass, warn, skip or fail."""
    _settle(request, baseline, tuned)


def ask_tuned(request: pytest.FixtureRequest, tuned: Engine) -> None:
    """The body of a case that asks the tuned model alone."""
    _settle(request, None, tuned)


def _settle(request: pytest.FixtureRequest, baseline: Engine | None, tuned: Engine) -> None:
    from harness.plugin import RUN

    item: Any = request.node
    run = request.config.stash[RUN]
    decision = run.decide(item.case, baseline, tuned)
    text = "" if decision.outcome == "passed" else explain(decision, run.policy)
    if decision.outcome == "warned" and not _warn(item, text):
        decision = replace(decision, outcome="failed")
        text += "\n  this run makes warnings errors, so it fails"
    item.decision = decision
    item.user_properties += run.properties(decision)
    if decision.outcome == "skipped":
        raise pytest.skip.Exception(text.splitlines()[0], _use_item_location=True)
    if decision.outcome == "failed":
        pytest.fail(text, pytrace=False)


def _warn(item: CaseItem, text: str) -> bool:
    """Warn at the case's line; False where the user's filters make that an error."""
    span = item.case.span
    path, line = (span.path, span.line) if span else (item.path, 1)
    try:
        warnings.warn_explicit(ForgettingWarning(text), None, str(path), line)
    except ForgettingWarning:
        return False
    return True


def check_names(items: Iterable[CaseItem]) -> None:
    """Two suites of one name could not be told apart in a record.

    Raises:
        pytest.UsageError: they are told, with both places.
    """
    first: dict[str, CaseItem] = {}
    for item in items:
        suite = item.case.suite
        other = first.setdefault(suite.name, item).case.suite
        if other.path != suite.path:
            raise pytest.UsageError(
                f"{suite.span}: a second suite called '{suite.name}'\n  {other.span} is called so already"
            )


def check_models(items: Sequence[CaseItem], config: pytest.Config) -> None:
    """Without a model there is nothing to gate, unless the user's own fixtures give both.

    Raises:
        pytest.UsageError: `--model` is missing.
    """
    options = RunOptions.of(config)
    if options.model is not None:
        return
    for item in items:
        for name in ("tuned", "baseline"):
            if name in item.fixturenames and _is_ours(item, name):
                raise pytest.UsageError(
                    f"{shown_path(item.path)}: a suite needs a model to gate\n"
                    "  name it: --model PATH_OR_HUB_ID (a folder, a PEFT adapter, org/name, or a fixture file)"
                )


def check_code(items: Iterable[CaseItem], config: pytest.Config) -> None:
    """A score that runs what a model wrote needs permission, and is never skipped in silence.

    Raises:
        pytest.UsageError: `--allow-code` is missing.
    """
    if RunOptions.of(config).allow_code:
        return
    for item in items:
        for probe in item.case.probes:
            if probe.scorer.runs_code:
                suite = item.case.suite
                raise pytest.UsageError(
                    f"{probe.span or shown_path(item.path)}: the suite '{suite.name}' runs code that a model wrote: "
                    f"the probe '{probe.id}' has the score '{probe.scorer.name}'\n"
                    "  allow it: --allow-code (its time and memory are bounded, but that is no security boundary)\n"
                    f"  or leave the suite out: --deselect {shown_path(item.path)}"
                )


def _is_ours(item: pytest.Function, name: str) -> bool:
    definitions = item._fixtureinfo.name2fixturedefs.get(name, ())
    return not definitions or definitions[-1].func.__module__ == "harness.plugin"
