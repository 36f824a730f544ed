"""Models that know what they are told to, and remember each question; and suites of questions q0, q1 and so on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from harness.engine.batching import Budget
from harness.engine.functions import FunctionEngine
from harness.engine.requests import Answer, Progress, Request, Side
from harness.evaluation.session import PairSession
from harness.gate.cases import cases, overall_case
from harness.gate.decide import Decision
from harness.scoring import SCORERS
from harness.suites.suite import Gate, Probe, Suite


class Knows(FunctionEngine):
    """Answers "yes" to the questions that it knows, "no" to all others; `calls` are the questions of each call.

    Under another budget, as in other batches, it knows `alone` instead.
    """

    def __init__(self, known: Collection[str], alone: Collection[str] | None = None) -> None:
        super().__init__(lambda question: "yes" if question in self.knows else "no", "scripted")
        self.known, self.alone = known, known if alone is None else alone
        self.budget = Budget(1000)
        self.calls: list[list[str]] = []

    @property
    def knows(self) -> Collection[str]:
        return self.known if self.budget.tokens == 1000 else self.alone

    def ask(self, requests: Sequence[Request], progress: Progress | None = None) -> list[Answer]:
        # a copy of the engine with another budget shares the list
        self.calls.append([self.render(request.prompt) for request in requests])  # type: ignore[union-attr]
        self.function = lambda question: "yes" if question in self.knows else "no"
        return super().ask(requests, progress)


def questions(n: int) -> list[str]:
    return [f"q{i}" for i in range(n)]


def suite_of(n: int, *gates: Gate, name: str = "s", also: Mapping[int, Sequence[str]] | None = None) -> Suite:
    """A suite of n questions; `also` gives other words for some of them."""
    probes = tuple(
        Probe(
            f"p{i}",
            SCORERS["equals"](),
            fields={"question": question},
            answers=("yes",),
            also_ask=tuple({"question": words} for words in (also or {}).get(i, ())),
        )
        for i, question in enumerate(questions(n))
    )
    return Suite(name, gates, probes)


def both(baseline: Knows, tuned: Knows) -> Mapping[Side, Knows]:
    return {"baseline": baseline, "tuned": tuned}


def decide_all(
    session: PairSession, suites: Sequence[Suite], engines: Mapping[Side, Knows], overall: float | None = None
) -> list[Decision]:
    """Ask both models the suites and decide their cases, and the overall one if it has a margin."""
    selected = [case for suite in suites for case in cases(suite)]
    session.need(selected)
    for suite in suites:
        session.ask_both(suite.name, engines.__getitem__)
    return session.decide([*selected, *([] if overall is None else [overall_case(overall)])])
