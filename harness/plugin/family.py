"""The selected cases of one pair of engines, which are asked first and then decided together.

A gate fails only if its loss is no accident among all gates of the run, so the first case to run asks for all of them, and
each then reports its own decision. pytest reports an item as soon as it has run and takes nothing back; to decide later would
mean to hold back its reports, and JUnit, reruns, xfail and other plugins would see what pytest never meant them to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress

import pytest

from harness.engine.requests import Engine, Side
from harness.errors import HarnessError
from harness.evaluation.exchange import Exchange
from harness.evaluation.jobs import POLL
from harness.evaluation.noise import check_margins
from harness.evaluation.session import PairSession
from harness.evaluation.tasks import DiedError
from harness.gate.cases import Case
from harness.gate.decide import Decision
from harness.plugin.engines import overrides
from harness.suites.suite import RunGate


class Family:
    """Cases that are decided together; `exchange` shares their answers with other processes, if there are any."""

    def __init__(self, session: PairSession, exchange: Exchange | None) -> None:
        self.session = session
        self.exchange = exchange
        self.cases: list[Case] = []
        self.unasked: dict[str, HarnessError | DiedError | None] = {}
        """The suites without answers; the error of one that cannot be asked, or not be decided by them."""
        self._decisions: dict[tuple[str, str], Decision] = {}
        self._notes: dict[str, Sequence[str]] = {}
        """By suite, told in the order of the suites once all are asked, whoever asked which first."""

    def add(self, case: Case) -> None:
        """Add a case, before any is decided."""
        self.cases.append(case)
        if not isinstance(case.gate, RunGate):
            self.unasked[case.suite.name] = None

    def decide(self, case: Case, engines: Callable[[Side], Engine]) -> Decision:
        """Ask what was not asked yet, its own suite first, and decide the case with all others.

        Raises:
            HarnessError, DiedError: its suite, or for the overall gate any, could not be asked or cannot be decided.
        """
        if self.unasked and not any(self.unasked.values()):
            try:
                self._ask(engines, first=case.suite.name)
            finally:
                self._tell()
                self._refuse_noise()
        overall = isinstance(case.gate, RunGate)
        errors = self.unasked.values() if overall else [self.unasked.get(case.suite.name)]
        if error := next(filter(None, errors), None):
            raise error
        if case.suite.name in self.unasked:  # a suite before it cannot be asked
            raise next(filter(None, self.unasked.values()))
        return self.decisions()[_key(case)]

    def decided(self, case: Case) -> Decision | None:
        """The decision of a case, if its suite was asked and there was no error, which a case has reported."""
        with suppress(HarnessError):
            return self.decisions().get(_key(case))
        return None

    def decisions(self) -> dict[tuple[str, str], Decision]:
        """The decisions so far, by suite and slice: of the suites that were asked, and overall if all of them were."""
        if not self._decisions:
            overall = [case for case in self.cases if isinstance(case.gate, RunGate) and not self.unasked]
            decisions = self.session.decide([*self.asked, *overall])
            self._decisions = {_key(decision.case): decision for decision in decisions}
        return self._decisions

    @property
    def sides(self) -> Sequence[Side]:
        """The models that its cases ask."""
        return ("tuned",) if all(case.tuned_alone for case in self.cases) else ("baseline", "tuned")

    @property
    def is_new(self) -> bool:
        """Whether none of its suites was asked or tried yet."""
        suites = {case.suite.name for case in self.cases if not isinstance(case.gate, RunGate)}
        return bool(suites) and suites == self.unasked.keys() and not any(self.unasked.values())

    @property
    def asked(self) -> list[Case]:
        """The cases of suites that were asked."""
        return [
            case
            for case in self.cases
            if not isinstance(case.gate, RunGate) and case.suite.name not in self.unasked
        ]

    def wait(self) -> None:
        """Wait for what other processes ask with engines that this one has not, as long as one is at work.

        Raises:
            HarnessError, DiedError: a suite could not be asked.
        """
        if self.exchange is None or not self.unasked:
            return
        self.session.need(self.cases)
        while True:
            alone = self.exchange.is_alone
            for name in list(self.unasked):
                self._learn(name, self.exchange.known(self.session.suites[name]))
            if alone or not self.unasked:
                return
            time.sleep(POLL)

    def _refuse_noise(self) -> None:
        """Decide nothing if margins are within the noise of the baseline."""
        names = {case.suite.name for case in self.asked}
        try:
            check_margins(run for name, run in self.session.suites.items() if name in names)
        except HarnessError as error:
            self.unasked |= dict.fromkeys(names, error)

    def _ask(self, engines: Callable[[Side], Engine], first: str) -> None:
        """Ask suite by suite, or take what other processes asked, up to the first that cannot be asked."""
        self.session.need(self.cases)
        waiting = sorted(self.unasked, key=lambda name: name != first)
        while waiting:
            rest = []
            for name in waiting:
                try:
                    known = self._settle(name, engines)
                except DiedError as error:
                    self.unasked[name] = error
                except HarnessError as error:
                    self.unasked[name] = error
                    return
                else:
                    rest += [] if known else [name]
            if rest == waiting and not self._help(engines):
                time.sleep(POLL)
            waiting = rest

    def _settle(self, name: str, engines: Callable[[Side], Engine]) -> bool:
        """Get the answers to a suite; False while another process asks it."""
        if (exchange := self.exchange) is None:
            self.session.ask_both(name, engines)
            del self.unasked[name]
            return True

        def ask() -> Sequence[str]:
            told, before = self.session.notes, len(self.session.notes)
            with exchange.together(name, engines) as engine:
                self.session.ask_both(name, engine)
            notes = told[before:]
            del told[before:]
            return notes

        return self._learn(name, exchange.settle(self.session.suites[name], ask))

    def _learn(self, name: str, notes: Sequence[str] | None) -> bool:
        """Whether the answers to a suite are known now, with notes on it."""
        if notes is None:
            return False
        self._notes[name] = notes
        del self.unasked[name]
        return True

    def _help(self, engines: Callable[[Side], Engine]) -> bool:
        """Ask a part of a suite that another process asks; False if there is none."""
        return self.exchange is not None and self.exchange.jobs.help(
            self.unasked, engines, self.session.progress
        )

    def _tell(self) -> None:
        for name in dict.fromkeys(case.suite.name for case in self.cases):
            for note in self._notes.pop(name, ()):
                self.session.note(note)


def _key(case: Case) -> tuple[str, str]:
    return case.suite.name, case.slice


def family_of(item: pytest.Item) -> Hashable:
    """What distinguishes the family of a case.

    Cases with the same fixtures of the whole session have the same engines. Another fixture of a user's own may give each
    module, or each case, engines of its own: those are decided by suite.
    """
    fixtures = overrides(item)
    if all(fixture.scope == "session" for fixture in fixtures):
        return tuple(id(fixture) for fixture in fixtures)
    return item.path
