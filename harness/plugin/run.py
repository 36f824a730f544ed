"""The state of one run in one process: the models, what the selected cases need, and what was answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from harness.engine.requests import Engine, Side
from harness.errors import HarnessError, shown_path
from harness.evaluation.session import PairSession
from harness.gate.cases import Case
from harness.gate.verdict import Decision, Outcome
from harness.plugin.collect import CaseItem
from harness.plugin.engines import not_an_engine, was_given
from harness.plugin.junit import may_describe_cases
from harness.plugin.models import Models
from harness.plugin.options import options_of
from harness.plugin.progress import Progress
from harness.reporting.record import gate_row, probe_row
from harness.visible import visible


class Run:
    """Asks each probe once, and decides each case."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.options = options_of(config)
        self.progress = Progress(config)
        self.asked: dict[Side, Engine] = {}
        self.reported: set[tuple[str, str, bool]] = set()
        self.notes: list[str] = []
        self.selected: list[Case] = []
        self.models = Models(config, self.progress, self.selected, self.note)
        self.other_fixtures: set[Any] = set()
        """Fixtures of the user's that have a name of ours and give something else."""
        self.refused = ""

    # Asking

    def leave_out(self, path: Path, reason: str) -> None:
        """Say of a file in a folder that was asked for that it looks like a suite and was not read."""
        note = f"{shown_path(path)} looks like a suite and was not read: {reason}"
        if note not in self.notes and not self.options.paths.isdisjoint(path.parents):
            self.notes.append(note)

    def select(self, items: Sequence[pytest.Item]) -> None:
        """Note the selected cases, so that each suite is asked in one go."""
        self.selected += [item.case for item in items if isinstance(item, CaseItem)]

    def decide(self, case: Case, baseline: Engine | None, tuned: Engine) -> Decision:
        """Ask what was not asked yet, and judge the case."""
        engines: dict[Side, Engine] = (
            {"tuned": tuned} if baseline is None else {"baseline": baseline, "tuned": tuned}
        )
        for side, engine in engines.items():
            if not isinstance(engine, Engine):  # a user's own fixture
                raise not_an_engine(f"gate_{side}", type(engine).__name__)
        self.asked |= engines
        return self.session.ask_and_decide(case, baseline, tuned)

    @cached_property
    def session(self) -> PairSession:
        """What asks and decides; raises HarnessError where an argument of the chat template is none."""
        session = PairSession(
            self.options.policy,
            self.options.settings,
            allow_code=self.options.allow_code,
            progress=lambda suite, side: self.progress.counter(f"{suite}, {side}"),
            notes=self.notes,
        )
        session.need(self.selected)
        return session

    def note(self, text: str) -> None:
        """What the user should hear, once."""
        if text not in self.notes:
            self.notes.append(text)

    # Reports

    def properties(self, decision: Decision) -> list[tuple[str, object]]:
        """What JUnit and other reporters show of a case."""
        if not may_describe_cases(self.config):
            return []
        row = gate_row(decision).model_dump(
            exclude={"interval", "place", "probes", "require", "on_inconclusive"}, exclude_none=True
        )
        if decision.comparison:
            row["interval"] = "{:.4f} to {:.4f}".format(*decision.comparison.interval)
        return [
            (name, f"{value:.4f}" if isinstance(value, float) else visible(str(value)))
            for name, value in row.items()
        ]

    def take_report(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> dict[str, Any] | None:
        """What the controller should know of this phase of an item, as plain data; None if nothing.

        An input error stops the run: every further case would end in the same message. In the body of a
        user's own test it is that test's affair.
        """
        error = call.excinfo.value if call.excinfo else None
        if isinstance(item, CaseItem):
            return self._take_case(item, error, report)
        if isinstance(error, HarnessError) and call.when == "setup" and report.failed:
            return _stop(item, error)
        asks = call.when == "call" and was_given(item, "tuned")
        return {"own": True} if asks and report.outcome in ("passed", "failed") else None

    def _take_case(
        self, item: CaseItem, error: BaseException | None, report: pytest.TestReport
    ) -> dict[str, Any]:
        if report.when == "setup":
            item.decision = None  # of a run before, where a plugin runs a case again
        if hasattr(report, "wasxfail") and error is not None and not _may_be_excused(item, error):
            report.outcome = "failed"
            del report.wasxfail
        if isinstance(error, HarnessError) and report.failed:
            return _stop(item, error)
        if report.when == "teardown" or (report.passed and item.decision is None):
            return {}
        if item.decision is None:
            excused = "excused" if hasattr(report, "wasxfail") else "skipped"
            return {"ending": excused if report.skipped else "error"}
        outcome = _outcome(item.decision, report)
        return {"ending": outcome, **self._decided(item.decision, outcome)}

    def _decided(self, decision: Decision, outcome: Outcome) -> dict[str, Any]:
        suite = decision.case.suite
        seen = {(suite.name, one.probe.id, one.baseline is not None): one for one in decision.pairs}
        new = [one for key, one in seen.items() if key not in self.reported]
        self.reported.update(seen)
        return {
            "gate": gate_row(replace(decision, outcome=outcome)).model_dump(mode="json"),
            "probes": [probe_row(suite, one).model_dump(mode="json") for one in new],
            "run": self._provenance(),
        }

    def _provenance(self) -> dict[str, Any]:
        """Who was really asked: the models of the options, or the engines of a user's own fixtures."""
        models = self.models.rows(self.asked)  # which notes what it finds
        return {
            **models,
            **self.session.given,
            "seconds_asking": self.session.seconds_asking,
            "notes": list(self.notes),
        }


def _stop(item: pytest.Item, error: HarnessError) -> dict[str, Any]:
    item.session.shouldstop = "the models could not be asked; see the error above"
    return {"error": error.text}


def _may_be_excused(item: CaseItem, error: BaseException) -> bool:
    """Whether xfail means this: it expects a gate to fail, and not that nothing could be asked."""
    failed = item.decision is not None and item.decision.outcome == "failed"
    return isinstance(error, pytest.xfail.Exception) or (failed and isinstance(error, pytest.fail.Exception))


def _outcome(decision: Decision, report: pytest.TestReport) -> Outcome:
    if report.skipped and hasattr(report, "wasxfail"):
        return "excused"
    return "failed" if report.failed else decision.outcome
