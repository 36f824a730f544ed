"""A suite file in, pytest items out: one for each case, as functions that take the real fixtures."""

from __future__ import annotations

import linecache
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.engine.requests import Engine
from harness.errors import HarnessError, shown_path
from harness.evaluation.permission import code_problem
from harness.evaluation.suites import second_suite
from harness.gate.cases import Case, cases
from harness.gate.verdict import Decision
from harness.gate.warning import ForgettingWarning
from harness.plugin.engines import is_overridden
from harness.plugin.names import name_a_model, names_of, reach_of
from harness.plugin.options import options_of
from harness.plugin.state import RUN
from harness.reporting.explain import explain
from harness.scoring import load_scorers
from harness.spelling import on_command_line
from harness.suites.read import read_suite
from harness.visible import visible


class SuiteFile(pytest.Module):
    """A suite: collects one item a case. It is a Module, as fixtures and plugins ask every test function for its own."""

    def __init__(self, *, path: Path, parent: pytest.Collector, **arguments: Any) -> None:
        root = parent.config.rootpath
        written = (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
        if (shown := visible(written)) != written:
            arguments |= {"nodeid": shown, "name": visible(path.name)}
        super().__init__(path=path, parent=parent, **arguments)

    def collect(self) -> Iterator[CaseItem]:
        """The cases of the suite; raises SuiteError for a file that cannot be read, ScorerError for a score."""
        suite = read_suite(self.path, load_scorers(), reach_of(self.config))
        for case in cases(suite):
            yield CaseItem.from_parent(
                self, name=_name(case), case=case, callobj=ask_tuned if case.tuned_alone else ask_both
            )

    def _getobj(self) -> ModuleType:
        """A module of the suite's name and path, with the functions of its cases."""
        name = self.nodeid.strip("/").replace("/", ".")
        module = sys.modules[name] = ModuleType(name, f"The cases of {self.nodeid}.")
        vars(module).update(__file__=str(self.path), ask_both=ask_both, ask_tuned=ask_tuned)
        return module

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A suite's own problems without a traceback, which would only show the harness."""
        if isinstance(excinfo.value, HarnessError):
            return names_of(self.config).here(excinfo.value.text)
        return super().repr_failure(excinfo)


def _name(case: Case) -> str:
    """The case's slice, as terminals show it and as the environment holds it, where pytest puts its name."""
    encoding = sys.getfilesystemencoding()
    return visible(case.slice).encode(encoding, "backslashreplace").decode(encoding)


class CaseItem(pytest.Function):
    """One case; where it is reported is the line of its gate or probe."""

    def __init__(self, *, case: Case, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.case = case
        self.decision: Decision | None = None
        self.described: Sequence[tuple[str, object]] = ()
        self.add_marker(case.severity)

    def describe(self, properties: Sequence[tuple[str, object]]) -> None:
        """Set what reporters show of the case, instead of what they show of an earlier attempt at it."""
        others = [shown for shown in self.user_properties if shown not in self.described]
        self.user_properties[:] = [*others, *properties]
        self.described = properties

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """File, line (from 0) and name for pytest's output."""
        line = self.case.span.line - 1 if self.case.span else None
        return Path(visible(str(self.path))), line, self.name

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Input errors as their message alone; our own bugs keep their traceback."""
        if isinstance(excinfo.value, HarnessError):
            return names_of(self.config).here(excinfo.value.text)
        return super().repr_failure(excinfo)


def ask_both(request: pytest.FixtureRequest, gate_baseline: Engine, gate_tuned: Engine) -> None:
    """Ask both models what the case needs, compare, and pass, warn, skip or fail."""
    _settle(request, gate_baseline, gate_tuned)


def ask_tuned(request: pytest.FixtureRequest, gate_tuned: Engine) -> None:
    """Ask the tuned model alone what the case needs, and pass, warn, skip or fail."""
    _settle(request, None, gate_tuned)


def _settle(request: pytest.FixtureRequest, baseline: Engine | None, tuned: Engine) -> None:
    item: Any = request.node
    run = request.config.stash[RUN]
    decision = run.decide(item.case, baseline, tuned)
    text = "" if decision.outcome == "passed" else on_command_line(explain(decision, run.options.policy))
    if decision.outcome == "warned" and not _warn(item, text):
        decision = replace(decision, outcome="failed")
        text += "\n  this run makes warnings errors, so it fails"
    item.decision = decision
    item.describe(run.properties(decision))
    if decision.outcome == "skipped":
        raise pytest.skip.Exception(text.splitlines()[0], _use_item_location=True)
    if decision.outcome == "failed":
        pytest.fail(text, pytrace=False)


def _warn(item: CaseItem, text: str) -> bool:
    """Warn at the case's place; False where the user's filters make that an error."""
    span = item.case.span
    path, line = (span.path, span.line) if span else (item.path, 1)
    shown, source = visible(str(path)), linecache.getline(str(path), line).strip()
    if visible(source) != source:
        shown += ":"  # no file is called so, whose line Python would show as it is
    try:
        warnings.warn_explicit(ForgettingWarning(text), None, shown, line)
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
            raise pytest.UsageError(str(second_suite(suite, other)))


def check_models(items: Sequence[CaseItem], config: pytest.Config) -> None:
    """Without a model there is nothing to gate, unless the user's own fixtures give both.

    Raises:
        pytest.UsageError: `--model` is missing.
    """
    options = options_of(config)
    if options.model is not None:
        return
    for item in items:
        for side in ("tuned", "baseline"):
            if f"gate_{side}" in item.fixturenames and not is_overridden(item, side):
                raise pytest.UsageError(
                    f"{shown_path(item.path)}: a suite needs a model to gate\n{name_a_model(config)}"
                )


def check_code(items: Iterable[CaseItem], config: pytest.Config) -> None:
    """A score that runs what a model wrote needs permission and a kernel that confines it; it is never skipped in silence.

    Raises:
        pytest.UsageError: `--allow-code` is missing, or code cannot be confined here.
    """
    allowed = options_of(config).allow_code
    for item in items:
        if problem := code_problem(item.case.suite, item.case.probes, allowed):
            otherwise = "" if allowed else "or "
            raise pytest.UsageError(
                f"{problem.on_command_line}\n  {otherwise}leave the suite out: --deselect {shown_path(item.path)}"
            )
