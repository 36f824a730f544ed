"""Ask an Engine the probes of a suite and score its answers; every error names the suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from harness.engine.prompts import request
from harness.engine.requests import Answer, Engine, Progress
from harness.errors import EngineError, NoEvidenceError
from harness.evaluation.asking import answers_of, where
from harness.evaluation.verdicts import scores_of
from harness.evaluation.word_order import WordOrder, asked_for
from harness.scoring.score import Score, score
from harness.suites.suite import Probe, Suite


@dataclass(frozen=True)
class Answered:
    """The answers of one model and their scores, by probe id."""

    answers: Mapping[str, Answer]
    scores: Mapping[str, Score]
    attempts: Answered | None = None
    """Further attempts at single probes, by the ids of the attempts; None if there were none."""


class Judging(TypedDict):
    """How a run judges all of its answers: what `ask` takes for that."""

    word_order: WordOrder | None
    allow_code: bool


def ask(
    engine: Engine,
    suite: Suite,
    probes: Sequence[Probe],
    *,
    baseline: Mapping[str, Answer] | None = None,
    progress: Progress | None = None,
    word_order: WordOrder | None = None,
    allow_code: bool = False,
) -> Answered:
    """Ask a model some probes of a suite and score its answers.

    Args:
        baseline: the baseline's answers by id, for scores that are comparisons; None when asking the baseline itself.
        word_order: measures what is right but for its word order; None if no score asks for that.

    Raises:
        EngineError: the model cannot answer the suite, or left a probe out; or word order cannot be measured.
        NoEvidenceError: its answers prove nothing, such as NaN.
        ScorerError: a score broke, or runs code without permission.
    """
    if suite.task.answer not in engine.kinds:
        failure = f"{where(suite)} cannot be asked"
        raise EngineError(f"{failure}\n  {engine.label}: it has no 'answer: {suite.task.answer}'")
    requests = [request(suite, probe) for probe in probes]
    answers = answers_of(engine, suite, requests, [probe.id for probe in probes], progress)
    by_id = {probe.id: answer for probe, answer in zip(probes, answers, strict=True)}
    if word_order is not None and (fluent := asked_for(probes)):
        by_rule = judged(suite, fluent, by_id, allow_code=allow_code, engine=engine, by_rule=True).scores
        by_id |= word_order.measured(suite, {id: by_id[id] for id, score in by_rule.items() if score.right})
    return judged(
        suite,
        probes,
        by_id,
        baseline=baseline,
        allow_code=allow_code,
        engine=engine,
        by_rule=word_order is not None and word_order.by_rule,
    )


def judged(
    suite: Suite,
    probes: Sequence[Probe],
    answers: Mapping[str, Answer],
    *,
    baseline: Mapping[str, Answer] | None = None,
    allow_code: bool,
    engine: Engine | None = None,
    by_rule: bool = False,
) -> Answered:
    """Score the answers of a model, by probe id; raises NoEvidenceError and ScorerError as `ask` does.

    Args:
        engine: gave the answers; one that remembers is asked for their verdicts first.
        by_rule: judge without the word order that `fluent` scores ask for.
    """

    def judge(probe: Probe) -> Score:
        before = (baseline or {}).get(probe.id)
        return score(probe, answers[probe.id], before, allow_code=allow_code, by_rule=by_rule)

    try:
        scores = scores_of(probes, answers, judge, engine, allow_code=allow_code, by_rule=by_rule)
    except NoEvidenceError as error:
        label = engine.label if engine else "the model"
        raise NoEvidenceError(f"{where(suite)} cannot be judged\n  {label}: {error.text}") from error
    return Answered(answers, scores)
