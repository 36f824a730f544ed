"""The state of one run in one process: its models, the selected cases, and the data for their reports."""

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
from harness.plugin.models import Models
from harness.plugin.options import RUN_OPTIONS
from harness.plugin.progress import Progress
from harness.reporting.record import gate_row, probe_row


class Run:
    """Decides the cases of pytest's items, and describes them to the controller of an xdist run."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.options = config.stash[RUN_OPTIONS]
        self.progress = Progress(config)
        self.asked: dict[Side, Engine] = {}
        self.reported: set[tuple[str, str, bool]] = set()
        self.notes: list[str] = []
        self.selected: list[Case] = []
        self.models = Models(config, self.progress, self.selected, self.note)
        self.other_fixtures: set[Any] = set()
        """The user's own fixtures that have one of our names and give no engine."""
        self.refused = ""
        """Why a worker may not run its items."""

    def leave_out(self, path: Path, reason: str) -> None:
        """Note a file of a named folder that looks like a suite and was not read."""
        if not self.options.paths.isdisjoint(path.parents):
            self.note(f"{shown_path(path)} looks like a suite and was not read: {reason}")

    def select(self, items: Sequence[pytest.Item]) -> None:
        """Note the selected cases, so that each suite is asked in one go."""
        self.selected += [item.case for item in items if isinstance(item, CaseItem)]

    def decide(self, case: Case, baseline: Engine | None, tuned: Engine) -> Decision:
        """Ask what was not asked yet, and decide the case."""
        engines: dict[Side, Engine] = {"tuned": tuned}
        if baseline is not None:
            engines["baseline"] = baseline
        for side, engine in engines.items():
            if not isinstance(engine, Engine):  # of a user's own fixture
                raise not_an_engine(f"gate_{side}", type(engine).__name__)
        self.asked |= engines
        return self.session.ask_and_decide(case, baseline, tuned)

    @cached_property
    def session(self) -> PairSession:
        """The session of the selected cases; raises HarnessError for a malformed `--template-arg`."""
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
        """Keep a note for the user, once."""
        if text not in self.notes:
            self.notes.append(text)

    def take_report(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> dict[str, Any] | None:
        """The data for the controller of one phase of an item, if any.

        An input error stops the run: every further case would end in the same message. In the body of a user's own test it
        is a failure of that test.
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
            item.decision = None  # of an earlier attempt, where a plugin runs a case again
        if hasattr(report, "wasxfail") and error is not None and not _may_be_excused(item, error):
            report.outcome = "failed"
            del report.wasxfail
        if isinstance(error, HarnessError) and report.failed:
            return _stop(item, error)
        if report.when == "teardown" or (report.passed and item.decision is None):
            return {}
        excused = report.skipped and hasattr(report, "wasxfail")
        if item.decision is None:
            ending = "excused" if excused else "skipped" if report.skipped else "error"
            return {"ending": ending}
        outcome: Outcome = "excused" if excused else "failed" if report.failed else item.decision.outcome
        return {"ending": outcome, **self._rows(replace(item.decision, outcome=outcome))}

    def _rows(self, decision: Decision) -> dict[str, Any]:
        """The rows of a decided case, without those of probes that were sent before."""
        suite = decision.case.suite
        pairs = {(suite.name, pair.probe.id, pair.baseline is not None): pair for pair in decision.pairs}
        new = [pair for key, pair in pairs.items() if key not in self.reported]
        self.reported.update(pairs)
        models = self.models.rows(self.asked)  # adds notes
        return {
            "gate": gate_row(decision).model_dump(mode="json"),
            "probes": [probe_row(suite, pair).model_dump(mode="json") for pair in new],
            "run": {
                **models,
                **self.session.given,
                "seconds_asking": self.session.seconds_asking,
                "notes": list(self.notes),
            },
        }


def _stop(item: pytest.Item, error: HarnessError) -> dict[str, Any]:
    item.session.shouldstop = "the models could not be asked; see the error above"
    return {"error": error.text}


def _may_be_excused(item: CaseItem, error: BaseException) -> bool:
    """Whether xfail covers this error: a failed gate, not a model that could not be asked."""
    failed = item.decision is not None and item.decision.outcome == "failed"
    return isinstance(error, pytest.xfail.Exception) or (failed and isinstance(error, pytest.fail.Exception))
