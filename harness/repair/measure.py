"""An engine in, how much it gained on the target and what it lost, by the gate's own verdicts, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.engine.requests import Engine, EnginePair, Progress
from harness.engine.settings import Settings
from harness.evaluation.ask import Answered
from harness.evaluation.sample import Key
from harness.evaluation.session import PairSession
from harness.evaluation.suite_runs import Cuts
from harness.gate.cases import Case, with_overall
from harness.gate.compare import Comparison, Pair, compare, pair
from harness.gate.decide import Decision
from harness.gate.policy import Policy
from harness.repair.record import EffectRow
from harness.repair.schedule import Half, Schedule
from harness.suites.suite import OverallGate


@dataclass(frozen=True)
class Measured:
    """What a model answered to probes of a half.

    Attributes:
        target: the pairs of the target's probes.
        general: those of the general probes that were asked and are pooled, by suite and id.
        decisions: of the gates; empty if nothing general was asked.
    """

    target: Sequence[Pair]
    general: Mapping[Key, Pair] = field(default_factory=dict)
    decisions: Sequence[Decision] = ()

    @property
    def learnt(self) -> Comparison:
        """The target; its drop is a gain if it is negative."""
        return compare(self.target)

    @property
    def gain(self) -> float:
        return -self.learnt.drop + 0.0  # never -0.0

    @property
    def overall(self) -> Decision | None:
        """The decision over all suites; None if there are none to pool."""
        found = (decision for decision in self.decisions if isinstance(decision.case.gate, OverallGate))
        return next((decision for decision in found if decision.comparison is not None), None)

    @property
    def drop(self) -> float | None:
        """Over all pooled suites."""
        comparison = self.overall and self.overall.comparison
        return comparison.drop if comparison else None

    @property
    def failed(self) -> list[str]:
        return [decision.case.title for decision in self.decisions if decision.outcome == "failed"]

    @property
    def row(self) -> EffectRow:
        learnt, comparison = self.learnt, self.overall and self.overall.comparison
        low, high = learnt.interval
        of_general = (
            {
                "drop": comparison.drop,
                "drop_interval": comparison.interval,
                "general_probes": comparison.n,
                "lost": comparison.lost,
                "gained": comparison.gained,
            }
            if comparison
            else {}
        )
        return EffectRow(
            gain=self.gain,
            gain_interval=(-high, -low),
            target_probes=learnt.n,
            target_baseline=learnt.baseline_accuracy,
            failed=self.failed,
            **of_general,
        )


class Examiner:
    """Asks models the probes of one half; the baseline is asked each of them once.

    Args:
        counter: makes the callback that shows the progress of asking a suite, by its name.
        notes, cuts: collect notes for the user, of all sessions, each once, and what they say of answers that were cut.
    """

    def __init__(
        self,
        schedule: Schedule,
        half: Half,
        policy: Policy,
        settings: Settings,
        *,
        allow_code: bool = False,
        counter: Callable[[str], Progress] | None = None,
        notes: list[str] | None = None,
        cuts: Cuts | None = None,
    ) -> None:
        self.schedule, self.half, self.policy, self.settings = schedule, half, policy, settings
        self.allow_code = allow_code
        self.counter = counter
        self.notes: list[str] = [] if notes is None else notes
        self.cuts: Cuts = {} if cuts is None else cuts
        self.baseline: dict[str, Answered] = {}

    def ask_baseline(self, engine: Engine) -> None:
        """Ask the baseline everything; raises as `evaluation.ask`."""
        session = self.session()
        session.need(self.half.cases)
        session.ask("baseline", engine)
        self.keep(session)

    def session(self) -> PairSession:
        """A session that needs the target's probes, and knows the baseline's answers."""
        counter = self.counter
        session = PairSession(
            self.policy,
            self.settings,
            allow_code=self.allow_code,
            progress=None if counter is None else lambda suite, side: counter(suite),
            notes=self.notes,
            cuts=self.cuts,
        )
        session.need_probes(self.schedule.target, self.half.target)
        return session

    def keep(self, session: PairSession) -> None:
        """Keep the baseline's answers for other sessions."""
        for name, run in session.suites.items():
            self.baseline[name] = run.answered("baseline")


class Trial:
    """One model before one half, asked step by step.

    Args:
        pair: the baseline, and the model as the tuned one.
    """

    def __init__(self, examiner: Examiner, pair: EnginePair) -> None:
        self.examiner, self.pair = examiner, pair
        self.session = examiner.session()

    def learnt(self) -> Measured:
        """Ask the target; raises as `evaluation.ask`."""
        self._ask(self.examiner.schedule.target.name)
        return Measured(self._target)

    def compared(self, cases: Sequence[Case]) -> Measured:
        """Ask what these cases need and was not asked, and decide them together with the one over all suites."""
        self.session.need(cases)
        target = self.examiner.schedule.target.name
        for name in self.session.suites:
            self._ask(name)
        self.examiner.keep(self.session)
        margin = self.examiner.policy.max_drop_overall
        decisions = self.session.decide(with_overall(cases, margin, of_one=True))
        general = {
            (name, each.probe.id): each
            for name, run in self.session.suites.items()
            if name != target and not run.suite.is_of_texts
            for each in run.pairs(run.asked_of_both)
        }
        return Measured(self._target, general, decisions)

    def _ask(self, name: str) -> None:
        if name in self.examiner.baseline:
            self.session.know("baseline", {name: self.examiner.baseline[name]})
        self.session.ask_both(name, self.pair.of)

    @property
    def _target(self) -> list[Pair]:
        scores = self.session.suites[self.examiner.schedule.target.name].scores
        return pair(self.examiner.half.target, scores["baseline"], scores["tuned"])
