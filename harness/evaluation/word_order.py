"""Replies in, how much likelier the baseline finds them in their order than shuffled, out: what `fluent` scores judge by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice

from harness.engine.requests import Answer, Engine, Generated, LogLikelihood, RollingLogLikelihood
from harness.errors import EngineError, NoEvidenceError
from harness.evaluation.asking import answers_of, where
from harness.scoring.score import likelihood_problem
from harness.scoring.word_order import SHUFFLES, gain, orders
from harness.suites.suite import Probe, Suite


class WordOrder:
    """Measures the word order of replies, of both models, by the likelihood of one engine; equal replies once.

    Args:
        engine: the baseline's; None where there is none to ask, so that replies are judged by their rule alone.
    """

    def __init__(self, engine: Engine | None) -> None:
        self.engine = engine
        self.known: dict[str, float] = {}

    @property
    def by_rule(self) -> bool:
        """Whether nothing is measured."""
        return self.engine is None

    def check(self, suite: Suite, probes: Iterable[Probe]) -> None:
        """Raise EngineError if some of these probes ask for what the engine cannot measure."""
        if self.engine is None or "likelihood" in self.engine.kinds or not asked_for(probes):
            return
        raise EngineError(
            f"{where(suite)} cannot be judged: 'fluent' asks how likely the baseline finds an answer\n"
            f"  {self.engine.label}: it has no 'answer: likelihood'; give a baseline that has, or leave 'fluent' out"
        )

    def measured(self, suite: Suite, answers: Mapping[str, Answer]) -> dict[str, Answer]:
        """Answers of either model, by probe id, with the word order of those that have enough words.

        Raises:
            EngineError: the engine cannot answer, or has no log-likelihoods.
            NoEvidenceError: a log-likelihood proves nothing, such as NaN.
        """
        if self.engine is None:
            return dict(answers)
        replies = {
            id: answer
            for id, answer in answers.items()
            if isinstance(answer, Generated) and orders(answer.text)
        }
        owners: dict[str, str] = {}
        for id, reply in replies.items():
            if reply.text not in self.known:
                owners.setdefault(reply.text, id)
        self._learn(suite, owners)
        found = {id: replace(reply, word_order=self.known[reply.text]) for id, reply in replies.items()}
        return {**answers, **found}

    def _learn(self, suite: Suite, owners: Mapping[str, str]) -> None:
        """Measure replies; `owners` are the ids of their probes."""
        if not owners:
            return
        assert self.engine is not None, "without an engine there is nothing to measure"
        self.check(suite, suite.probes)
        texts = [(reply, order) for reply in owners for order in orders(reply)]
        requests = [RollingLogLikelihood(order) for _, order in texts]
        measured = answers_of(self.engine, suite, requests, [owners[reply] for reply, _ in texts])
        logprobs = (
            self._logprob(suite, owners[reply], answer)
            for (reply, _), answer in zip(texts, measured, strict=True)
        )
        self.known |= {reply: gain(reply, list(islice(logprobs, 1 + SHUFFLES))) for reply in owners}

    def _logprob(self, suite: Suite, id: str, answer: Answer) -> float:
        assert self.engine is not None
        problem = f"of the kind {type(answer).__name__}"
        if isinstance(answer, LogLikelihood):
            if (wrong := likelihood_problem(answer)) is None:
                return answer.logprob
            problem = wrong
        raise NoEvidenceError(
            f"{where(suite)} cannot be judged\n  {self.engine.label}: the word order of the answer to the probe '{id}' has a "
            f"measurement {problem}"
        )


def asked_for(probes: Iterable[Probe]) -> list[Probe]:
    """The probes whose scores ask for word order."""
    return [probe for probe in probes if probe.scorer.asks_order]
