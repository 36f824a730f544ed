"""A suite file in, pytest items out: a test function for each case, with the fixtures of both models."""

from __future__ import annotations

import linecache
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from harness.engine.settings import check_idle
from harness.errors import HarnessError, SuiteError, shown_path
from harness.evaluation.permission import code_problem
from harness.evaluation.suites import second_suite
from harness.gate.cases import Case, cases
from harness.gate.warning import ForgettingWarning
from harness.plugin.engines import IDLE, is_overridden
from harness.plugin.junit import may_describe_cases
from harness.plugin.names import name_a_model, names_of, reach_of
from harness.plugin.options import RUN_OPTIONS
from harness.plugin.passed_over import check_named_once, unless_ignored
from harness.plugin.slices import remember
from harness.plugin.state import RUN, run_of
from harness.scoring import load_scorers
from harness.spelling import on_command_line
from harness.suites.accepted import accepted_file, with_accepted
from harness.suites.detect import sniff
from harness.suites.read import read_suite
from harness.suites.suite import OVERALL, SliceGate, Suite
from harness.visible import visible

if TYPE_CHECKING:
    from harness.engine.requests import Engine, Side
    from harness.gate.decide import Decision

NOT_PROPERTIES = {
    "interval", "loss", "rise_interval", "flips_interval", "place", "probes", "require", "on_inconclusive",
}  # fmt: skip
"""Keys of a GateRow that JUnit does not show: lists, and the rule of the gate."""

UNREADABLE: pytest.StashKey[set[Path]] = pytest.StashKey()
"""The files of accepted losses that cannot be read."""


class CaseFile(pytest.Module):
    """Around cases. It is a Module because fixtures and plugins expect one around a function."""

    def _getobj(self) -> ModuleType:
        """A module with the name and path of the file, and the functions of its cases."""
        name = self.nodeid.strip("/").replace("/", ".")
        module = sys.modules[name] = ModuleType(name, f"The cases of {self.nodeid}.")
        vars(module).update(__file__=str(self.path), ask_both=ask_both, ask_tuned=ask_tuned)
        return module


class OverallFile(CaseFile):
    """Around the gate over all suites, which is in no file."""

    def collect(self) -> Iterator[CaseItem]:
        """Nothing: the gate is made once the suites are selected."""
        return iter(())


class SuiteFile(CaseFile):
    """A suite, collected as one item a case."""

    def __init__(self, *, path: Path, parent: pytest.Collector, **arguments: Any) -> None:
        root = parent.config.rootpath
        written = (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
        if (shown := visible(written)) != written:
            arguments |= {"nodeid": shown, "name": visible(path.name)}
        elif not path.is_relative_to(root) and path in parent.config.stash[RUN_OPTIONS].paths:
            arguments["nodeid"] = path.name  # pytest's is empty, and so would be one id for two such files
        super().__init__(path=path, parent=parent, **arguments)

    def collect(self) -> Iterator[CaseItem]:
        """The cases of the suite; raises SuiteError for problems in the file, ScorerError for a score that cannot be loaded."""
        check_named_once(self.config, self.path)
        suite = read_suite(self.path, load_scorers(), reach_of(self.config))
        if self.config.stash[RUN_OPTIONS].accepted:
            suite = self._with_accepted(suite)
        for note in [*suite.notes, *(f"{doubt.span}: {doubt.message}" for doubt in suite.warnings)]:
            run_of(self.config).note(note)
        remember(self.config, self.path, (_name(case) for case in cases(suite)))
        for case in cases(suite):
            yield CaseItem.from_parent(
                self, name=_name(case), case=case, callobj=ask_tuned if case.tuned_alone else ask_both
            )

    def _with_accepted(self, suite: Suite) -> Suite:
        """The suite with its accepted losses; raises SuiteError for the first suite of a file that cannot be read."""
        told, file = self.config.stash.setdefault(UNREADABLE, set()), accepted_file(suite.name, self.path)
        if file in told:
            return suite
        try:
            return with_accepted(suite)
        except SuiteError:
            told.add(file)
            raise

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The problems of the suite without a traceback, which would only show the harness."""
        if not (text := _input_error(self, excinfo)):
            return super().repr_failure(excinfo)
        named = self.path in self.config.stash[RUN_OPTIONS].paths
        return text if named or sniff(self.path).kind == "suite" else f"{text}\n  {unless_ignored(self.path)}"


def overall_items(beside: Sequence[CaseItem], over_all: Sequence[Case]) -> list[OverallItem]:
    """The items of the gates over all suites; they see the fixtures of the folder of the first suite that they pool."""
    if not over_all:
        return []
    first = next((item for item in beside if isinstance(item.case.gate, SliceGate)), beside[0])
    folder: Any = first.listchain()[-3]  # around the file of the case
    file = OverallFile.from_parent(folder, path=folder.path, name=OVERALL, nodeid=OVERALL)
    return [
        OverallItem.from_parent(file, name=case.slice, case=case, callobj=ask_both, beside=beside)
        for case in over_all
    ]


def _name(case: Case) -> str:
    """The slice, safe for terminals and for the environment, where pytest puts the names of tests."""
    encoding = sys.getfilesystemencoding()
    return visible(case.slice).encode(encoding, "backslashreplace").decode(encoding)


class CaseItem(pytest.Function):
    """One case, reported at the line of its gate or probe."""

    def __init__(self, *, case: Case, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.case = case
        self.decision: Decision | None = None
        self.described: Sequence[tuple[str, object]] = ()
        self.add_marker(case.severity)

    @property
    def is_marked_off(self) -> bool:
        """Whether a mark keeps it from running: skip, skipif or xfail(run=False)."""
        from _pytest.skipping import evaluate_skip_marks, evaluate_xfail_marks  # where pytest decides that

        try:
            expected = evaluate_xfail_marks(self)
            return evaluate_skip_marks(self) is not None or (expected is not None and not expected.run)
        except (
            pytest.fail.Exception
        ):  # a condition that cannot be evaluated, which pytest reports in its place
            return True

    def describe(self, properties: Sequence[tuple[str, object]]) -> None:
        """Set the properties for reporters, instead of those of an earlier attempt at the case."""
        others = [given for given in self.user_properties if given not in self.described]
        self.user_properties[:] = [*others, *properties]
        self.described = properties

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The file, the line (from 0) and the name for pytest's output."""
        line = self.case.span.line - 1 if self.case.span else 0
        return Path(visible(str(self.path))), line, self.name

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """An input error as its message alone; a bug of ours keeps its traceback.

        The short summary and JUnit's `message` take the first line of a failed gate: pytest cuts nothing in CI.
        """
        if error := _input_error(self, excinfo):
            return error
        failure: Any = super().repr_failure(excinfo)
        if isinstance(excinfo.value, pytest.fail.Exception):
            failure.reprcrash.message = failure.reprcrash.message.partition("\n")[0]
        return failure


class OverallItem(CaseItem):
    """A gate over all suites; `beside` are the cases that it pools where it is selected alone."""

    def __init__(self, *, beside: Sequence[CaseItem], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.beside = beside


def _input_error(
    node: pytest.Item | pytest.Collector, excinfo: pytest.ExceptionInfo[BaseException]
) -> str | None:
    error = excinfo.value
    return names_of(node.config).here(error.text) if isinstance(error, HarnessError) else None


def ask_both(request: pytest.FixtureRequest, gate_baseline: Engine, gate_tuned: Engine) -> None:
    """Ask both models what the case needs, compare, and pass, warn, skip or fail."""
    _gate(request, {"baseline": gate_baseline, "tuned": gate_tuned})


def ask_tuned(request: pytest.FixtureRequest, gate_tuned: Engine) -> None:
    """Ask the tuned model alone what the case needs, and pass, warn, skip or fail."""
    _gate(request, {"tuned": gate_tuned})


def decided(request: pytest.FixtureRequest, given: Mapping[Side, Engine]) -> Decision:
    """The decision of the requesting case by the engines of its fixtures."""
    from harness.evaluation.tasks import DiedError

    item: Any = request.node
    run = request.config.stash[RUN]

    def fixture(side: Side) -> Engine:
        # the cases that are asked along may need the other side
        engine: Engine = given[side] if side in given else request.getfixturevalue(f"gate_{side}")
        return engine

    try:
        return run.decide(item, fixture)
    except DiedError as error:
        died = error
    pytest.fail(f"{item.case.title}: not measured, for {died}", pytrace=False)


def _gate(request: pytest.FixtureRequest, given: Mapping[Side, Engine]) -> None:
    from harness.reporting.explain import explain

    item: Any = request.node
    decision, policy = decided(request, given), request.config.stash[RUN].options.policy
    text = "" if decision.outcome == "passed" else on_command_line(explain(decision, policy))
    if decision.outcome == "warned" and not _warn(item, text):
        decision = replace(decision, outcome="failed")
        text += "\n  this run makes warnings errors, so it fails"
    item.decision = decision
    item.describe(_properties(decision) if may_describe_cases(request.config) else ())
    if decision.outcome == "skipped":
        raise pytest.skip.Exception(text.splitlines()[0], _use_item_location=True)
    if decision.outcome == "failed":
        pytest.fail(text, pytrace=False)


def _properties(decision: Decision) -> list[tuple[str, object]]:
    from harness.reporting.record import gate_row

    row = gate_row(decision).model_dump(exclude=NOT_PROPERTIES, exclude_none=True)
    if decision.comparison:
        row["interval"] = "{:.4f} to {:.4f}".format(*decision.comparison.interval)
    return [
        (name, f"{value:.4f}" if isinstance(value, float) else visible(str(value)))
        for name, value in row.items()
    ]


def _warn(item: CaseItem, text: str) -> bool:
    """Warn at the case's place; False if the user's filters turn that into an error."""
    span = item.case.span
    path, line = (span.path, span.line) if span else (item.path, 1)
    shown, source = visible(str(path)), linecache.getline(str(path), line).strip()
    if visible(source) != source:
        shown += ":"  # not a file's name any more, so Python does not show the unsafe line
    try:
        warnings.warn_explicit(ForgettingWarning(text), None, shown, line)
    except ForgettingWarning:
        return False
    return True


def check_names(items: Iterable[CaseItem]) -> None:
    """Reject a second suite of one name, which a record could not distinguish from the first; raises HarnessError."""
    first: dict[str, CaseItem] = {}
    for item in items:
        suite = item.case.suite
        other = first.setdefault(suite.name, item).case.suite
        if other.path != suite.path:
            raise HarnessError(second_suite(suite, other).text)


def check_models(items: Sequence[CaseItem], config: pytest.Config) -> None:
    """Reject a run without `--model`, unless the user's own fixtures give both models as they run; raises HarnessError."""
    options = config.stash[RUN_OPTIONS]
    if options.model is not None:
        return
    for item in items:
        for side in ("tuned", "baseline"):
            if f"gate_{side}" in item.fixturenames and not is_overridden(item, side):
                raise HarnessError(
                    f"{shown_path(item.path)}: a suite needs a model to gate\n{name_a_model(config)}"
                )
    check_idle(options.settings, IDLE, "fixtures give both engines, which run as they were made")


def check_code(items: Iterable[CaseItem], config: pytest.Config) -> None:
    """Reject cases that run code without permission, or where it cannot be confined; raises HarnessError."""
    allowed = config.stash[RUN_OPTIONS].allow_code
    for item in items:
        if problem := code_problem(item.case.suite, item.case.probes, allowed):
            otherwise = "" if allowed else "or "
            raise HarnessError(
                f"{problem.text}\n  {otherwise}leave the suite out: --deselect {shown_path(item.path)}"
            )
