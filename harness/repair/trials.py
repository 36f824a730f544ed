"""Try one candidate at the least cost: the target first, then a part of the general probes, and the rest if it may pass."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from harness.engine.requests import EnginePair
from harness.gate.cases import Case
from harness.progress import Log
from harness.repair.measure import Examiner, Measured, Trial
from harness.repair.record import Standing, ended
from harness.repair.schedule import narrowed_to
from harness.repair.search import EXPECTED, BudgetUsedError, Candidate, Tried
from harness.stats.paired import ROUNDING
from harness.sweep.schedule import half_of
from harness.wording import duration, tenths

LEAST_PART = 40
"""General probes; of fewer in all, none are asked ahead of the rest."""

CONFIRMING = 2.5
"""A confirmation, with the model written and loaded again, takes about so many times a whole trial."""


class Trials:
    """Measures candidates.

    Args:
        pair: gives the engines of a candidate.
        budget: seconds from now for all trials and the confirmation; None for as long as it takes.
        say: takes a line when a trial ends.
        seed: of the part that is asked first.
    """

    def __init__(
        self,
        examiner: Examiner,
        pair: Callable[[Candidate], EnginePair],
        *,
        useful: float,
        margin: float,
        budget: float | None = None,
        say: Log = lambda text: None,
        seed: int = 0,
    ) -> None:
        self.examiner, self.pair, self.useful, self.margin, self.say = examiner, pair, useful, margin, say
        self.began, self.budget = time.monotonic(), budget
        self.seconds: list[float] = []
        self.longest = 0.0
        self.now = ""
        self.full_gain: float | None = None
        self.first = _first(examiner.half.cases, seed)

    def __call__(self, candidate: Candidate) -> Tried:
        """Try a candidate; the first is the tuned model as it is, which is asked everything.

        Raises:
            BudgetUsedError: there is no time left.
            EngineError, NoEvidenceError, ScorerError: as `evaluation.ask`.
        """
        self._check_budget()
        number = len(self.seconds) + 1
        self.now = f"{number} of about {max(EXPECTED, number)}, {candidate.edit}"
        began = time.monotonic()
        standing, measured = self._measured(candidate)
        seconds = time.monotonic() - began
        self.seconds.append(seconds)
        if standing in ("passes", "fails"):
            self.longest = max(self.longest, seconds)
        tried = Tried(candidate, standing, measured, seconds)
        self.say(f"{candidate.edit}: {self._told(tried)} ({duration(seconds)}){self._left()}")
        return tried

    def _measured(self, candidate: Candidate) -> tuple[Standing, Measured]:
        trial = Trial(self.examiner, self.pair(candidate))
        learnt = trial.learnt()
        reference = self.full_gain is None
        if self.full_gain is None:
            self.full_gain = learnt.gain
        elif learnt.gain < self.useful * self.full_gain - ROUNDING:
            return "gain gone", learnt
        if self.first and not reference:
            part = trial.compared(self.first)
            if part.overall is not None and part.overall.verdict == "FORGOTTEN":
                return "loses too much", part
        whole = trial.compared(self.examiner.half.cases)
        within = whole.drop is None or whole.drop <= self.margin + ROUNDING
        return "passes" if within and not whole.failed else "fails", whole

    def _check_budget(self) -> None:
        if self.budget is None or len(self.seconds) < 2:
            return
        needed = sum(self.seconds) / len(self.seconds) + CONFIRMING * self.longest
        if time.monotonic() - self.began + needed > self.budget:
            raise BudgetUsedError

    def _told(self, tried: Tried) -> str:
        row = tried.measured.row
        drop = "" if row.drop is None else f", drop {tenths(row.drop)}"
        return f"gain {tenths(row.gain)}{drop}, {ended(tried.standing, row, self.margin)}"

    def _left(self) -> str:
        """How long it may take; empty after the first, whose answers are often kept from its training."""
        if len(self.seconds) < 2:
            return ""
        rest = max(0, EXPECTED - len(self.seconds)) * sum(self.seconds) / len(self.seconds)
        rest += CONFIRMING * self.longest
        if self.budget is not None:
            rest = min(rest, max(0.0, self.budget - (time.monotonic() - self.began)))
        return f"; about {duration(rest)} left"


def _first(cases: Sequence[Case], seed: int) -> list[Case]:
    """The cases over a quarter of their probes; none where that would be few. Single probes come with the rest."""
    slices = [case for case in cases if case.gate.over != "each"]
    pool = {(case.suite.name, probe.id): probe for case in slices for probe in case.probes}
    if len(pool) < LEAST_PART:
        return []
    half = half_of(pool, seed)
    quarter = half_of({key: pool[key] for key in pool if key in half}, seed)
    return list(narrowed_to(slices, quarter))
