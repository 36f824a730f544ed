"""The state of one run in one process: its models, the selected cases, and the data for their reports."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.runner import runtestprotocol  # as pytest runs an item, and other plugins run it again

from harness.engine.requests import Engine, Side
from harness.errors import HarnessError
from harness.gate.cases import Case, probe_ids
from harness.plugin.collect import CaseItem, OverallItem
from harness.plugin.engines import asked_tuned, not_an_engine
from harness.plugin.options import RUN_OPTIONS
from harness.plugin.progress import Progress
from harness.plugin.state import EXCHANGE
from harness.suites.suite import RunGate, Suite
from harness.wording import some

if TYPE_CHECKING:  # a run that only collects loads none of these
    from harness.evaluation.exchange import Exchange
    from harness.evaluation.session import PairSession
    from harness.gate.decide import Decision, Outcome
    from harness.plugin.family import Family
    from harness.plugin.models import Models
    from harness.reporting.rows import ModelRow


class Run:
    """Decides the cases of pytest's items, and describes them to the controller of an xdist run."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.options = config.stash[RUN_OPTIONS]
        self.progress = Progress(config)
        self.asked: dict[Side, Engine] = {}
        self.reported: set[tuple[str, str, bool, bool]] = set()
        self.places: dict[str, dict[str, int]] = {}
        """By suite, the place of each probe in it."""
        self.notes: list[str] = []
        self.collected: set[str] = set()
        """The names of the suites that were collected, whatever was left out of them later."""
        self.selected: list[Case] = []
        self.named: list[str] = []
        """The suites that the command line names, asked or not, and `overall` if its margin was given."""
        self.suites: dict[str, dict[str, Any]] = {}
        """The rows of the selected suites, by name."""
        self.families: dict[Hashable, Family] = {}
        self.unreported: dict[str, CaseItem] = {}
        """The items of which nothing was reported yet."""
        self.other_fixtures: set[Any] = set()
        """The user's own fixtures that have one of our names and give no engine."""
        self._engine: Callable[[Side], Engine] | None = None
        """Gives the engines of the case that is decided."""
        self.refused = ""
        """Why a worker may not run its items."""

    @cached_property
    def models(self) -> Models:
        """The models that the options name."""
        from harness.plugin.models import Models

        return Models(self.config, self.progress, self.selected, self.note)

    def select(self, items: Sequence[pytest.Item]) -> None:
        """Note the selected cases, so that they are asked in one go and decided together."""
        if self.config.option.collectonly:
            return
        from harness.evaluation.record import suite_row

        cases = [item for item in items if isinstance(item, CaseItem) and not item.is_marked_off]
        self.unreported |= {item.nodeid: item for item in cases}
        # now, for the files may be changed while models are asked
        read = {item.case.suite.name: item.case.suite for item in cases if item.case.suite.path}
        self.suites |= {name: suite_row(suite).model_dump(mode="json") for name, suite in read.items()}
        if (overall := [item for item in cases if isinstance(item, OverallItem)]) and overall == cases:
            cases += [item for item in overall[0].beside if not item.is_marked_off]
        for item in cases:
            self.selected.append(item.case)
            self._family(item).add(item.case)
        if self.exchange and self.selected:
            self.exchange.join(probe_ids(self.selected))

    def ask_along(self, items: Sequence[pytest.Item], stopped: bool) -> None:
        """Help other processes to ask the suites of which this one got no case to run, by running one in silence.

        Args:
            stopped: whether the run is about to end, so that nobody may need the answers.
        """
        if self.exchange is None or not self.exchange.has_begun or self.refused or stopped:
            return
        first: dict[Family, pytest.Item] = {}
        for item in items:
            if isinstance(item, CaseItem) and not item.is_marked_off and not self._spans_families(item):
                first.setdefault(self._family(item), item)
        for family, item in first.items():
            if family.is_new:
                with warnings.catch_warnings(action="ignore"):  # the process that reports the case warns
                    runtestprotocol(item, log=False, nextitem=None)

    def decide(self, item: CaseItem, fixture: Callable[[Side], Engine]) -> Decision:
        """Ask what was not asked yet, and decide the case of an item.

        Args:
            fixture: gives the engine of the item's fixture for one side.
        """
        sides: dict[Side, Engine] = {}

        def engine(side: Side) -> Engine:
            found = fixture(side)
            if not isinstance(found, Engine):  # of a user's own fixture
                raise not_an_engine(f"gate_{side}", type(found).__name__)

            self.asked[side] = sides[side] = self.models.stored(found, beside=sides)
            return sides[side]

        self._engine = engine
        if self._spans_families(item):
            for other in self.families.values():
                other.wait()
            if missing := self._missing:
                text = f"{item.case.title}: undecided, for it needs {some(missing, 5)}, not asked before it"
                pytest.fail(f"{text}\n  run it with its suites", pytrace=False)
            return self._over_families(item.case)
        family = self._family(item)
        try:
            decision = family.decide(item.case, engine)
            for side in family.sides:  # other processes may have asked theirs
                engine(side)
            return decision
        finally:
            self.progress.close()

    def _spans_families(self, item: CaseItem) -> bool:
        return isinstance(item.case.gate, RunGate) and len(self.families) > 1

    def _over_families(self, case: Case) -> Decision:
        """Decide the overall gate over suites with engines of their own."""
        cases = [case for family in self.families.values() for case in family.asked]
        return self.session.decide([*cases, case])[-1]

    @property
    def _missing(self) -> list[str]:
        """The names of the suites that were not asked yet."""
        return sorted(name for family in self.families.values() for name in family.unasked)

    def _family(self, item: CaseItem) -> Family:
        from harness.plugin.family import Family, family_of

        key = family_of(item)
        if key not in self.families:
            self.families[key] = Family(self.session, self.exchange)
        return self.families[key]

    @cached_property
    def exchange(self) -> Exchange | None:
        """Where the processes of an xdist run share answers; None for a single one, or one on another machine."""
        given: dict[str, Any] = getattr(self.config, "workerinput", {})
        folder = Path(given.get(EXCHANGE, "/dev/null"))
        if not folder.is_dir():
            return None
        from harness.evaluation.exchange import Exchange

        return Exchange(folder, given["workerid"], given["workercount"])

    @cached_property
    def session(self) -> PairSession:
        """The session of the selected cases; raises HarnessError for a malformed `--template-arg`."""
        from harness.evaluation.course import follow
        from harness.evaluation.session import PairSession

        session = PairSession(
            self.options.policy,
            self.options.settings,
            allow_code=self.options.allow_code,
            noise_floor=self.options.noise_floor,
            engine_flips=self.options.engine_flips,
            sequential=self.options.sample_seed if self.options.sequential else None,
            notes=self.notes,
            baseline=self._baseline if self.options.accepted else None,
        )
        follow(session, self.progress.counter)
        return session

    def _baseline(self) -> ModelRow | None:
        """The row of the baseline; None if no case has asked one."""
        from harness.reporting.rows import ModelRow

        if self._engine is not None:
            self._engine("baseline")
        row = self.models.rows(self.asked).get("baseline")
        return None if row is None else ModelRow.model_validate(row)

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
            data = self._take_case(item, error, report)
            if data:
                self.unreported.pop(item.nodeid, None)
            return data
        if isinstance(error, HarnessError) and call.when == "setup" and report.failed:
            return _stop(item, error)
        asks = call.when == "call" and asked_tuned(item)
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
            look = getattr(item, "found", None)
            return {"ending": ending, **({"look": look} if look else {})}
        outcome: Outcome = "excused" if excused else "failed" if report.failed else item.decision.outcome
        return {"ending": outcome, **self._rows(replace(item.decision, outcome=outcome))}

    def rest(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """By node id, the data of cases that were asked and not run, because the run ended early."""
        for nodeid, item in self.unreported.items():
            spans = self._spans_families(item)
            decide = self._over_families if spans else self._family(item).decided
            if not (spans and self._missing) and (decision := decide(item.case)):
                yield nodeid, {"ending": decision.outcome, **self._rows(decision)}

    def _place(self, suite: Suite, id: str) -> int:
        if suite.name not in self.places:
            self.places[suite.name] = {probe.id: place for place, probe in enumerate(suite.probes)}
        return self.places[suite.name][id]

    def _rows(self, decision: Decision) -> dict[str, Any]:
        """The rows of a decided case, without those of probes that were sent before."""
        from harness.reporting.record import gate_row, probe_row

        suite = decision.case.suite
        again = decision.again
        pairs = {
            (suite.name, pair.probe.id, pair.baseline is not None, bool(again)): pair
            for pair in decision.pairs
        }
        new = [pair for key, pair in pairs.items() if key not in self.reported]
        self.reported.update(pairs)
        models = self.models.rows(self.asked)  # adds notes
        return {
            "gate": gate_row(decision).model_dump(mode="json"),
            "probes": [probe_row(suite, pair, again).model_dump(mode="json") for pair in new],
            "places": [self._place(suite, pair.probe.id) for pair in new],
            "run": {
                **models,
                **self.session.given,
                "suites": self.suites,
                "max_drop_overall": self.options.policy.max_drop_overall,
                "named": self.named,
                **self.session.told,
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
