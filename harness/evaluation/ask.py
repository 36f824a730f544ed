"""Ask an Engine the probes of a suite and score its answers; every error names the suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.engine.prompts import request
from harness.engine.registry import is_foreign
from harness.engine.requests import Answer, Engine, Progress, UnansweredError
from harness.engine.reshaped import smaller_batches
from harness.errors import EngineError, HarnessError, NoEvidenceError, what_was_raised
from harness.scoring.score import Score, score
from harness.suites.suite import Probe, Suite


@dataclass(frozen=True)
class Answered:
    """The answers of one model and their scores, by probe id."""

    answers: Mapping[str, Answer]
    scores: Mapping[str, Score]
    attempts: Answered | None = None
    """Further attempts at single probes, by the ids of the attempts; None if there were none."""


def ask(
    engine: Engine,
    suite: Suite,
    probes: Sequence[Probe],
    *,
    baseline: Mapping[str, Answer] | None = None,
    progress: Progress | None = None,
    allow_code: bool = False,
) -> Answered:
    """Ask a model some probes of a suite and score its answers.

    Args:
        baseline: the baseline's answers by id, for scores that are comparisons; None when asking the baseline itself.

    Raises:
        EngineError: the model cannot answer the suite, or left a probe out.
        NoEvidenceError: its answers prove nothing, such as NaN.
        ScorerError: a score broke, or runs code without permission.
    """
    failure = f"{_where(suite)} cannot be asked"
    if suite.task.answer not in engine.kinds:
        raise EngineError(f"{failure}\n  {engine.label}: it has no 'answer: {suite.task.answer}'")
    try:
        answers = engine.ask([request(suite, probe) for probe in probes], progress)
        if not isinstance(answers, Sequence):
            raise EngineError(f"{engine.label}: must give a list of answers, saw {type(answers).__name__}")
        if len(answers) != len(probes):
            raise EngineError(f"{engine.label}: gave {len(answers)} answers to {len(probes)} requests")
    except UnansweredError as error:
        ids = ", ".join(f"'{probe.id}'" for probe in probes if request(suite, probe) == error.request)
        raise EngineError(f"{failure}: the probe {ids}\n  {error.text}") from error
    except EngineError as error:
        raise EngineError(f"{failure}\n  {error.text}") from error
    except Exception as error:
        if isinstance(error, HarnessError) or not is_foreign(engine):
            raise
        raise EngineError(f"{failure}\n  {engine.label}: {what_was_raised(error)}") from error
    by_id = {probe.id: answer for probe, answer in zip(probes, answers, strict=True)}
    return judged(suite, probes, by_id, baseline=baseline, allow_code=allow_code, label=engine.label)


def ask_otherwise(
    engine: Engine,
    suite: Suite,
    probes: Sequence[Probe],
    *,
    baseline: Mapping[str, Answer] | None = None,
    allow_code: bool = False,
) -> Answered:
    """The same in other batches than those of the whole suite, which round differently; raises as `ask`."""
    reshaped = smaller_batches(engine, [request(suite, probe) for probe in probes])
    return ask(reshaped, suite, probes, baseline=baseline, allow_code=allow_code)


def judged(
    suite: Suite,
    probes: Sequence[Probe],
    answers: Mapping[str, Answer],
    *,
    baseline: Mapping[str, Answer] | None = None,
    allow_code: bool = False,
    label: str = "the model",
) -> Answered:
    """Score the answers of a model, by probe id; raises NoEvidenceError and ScorerError as `ask` does."""
    try:
        scores = {
            probe.id: score(probe, answers[probe.id], (baseline or {}).get(probe.id), allow_code=allow_code)
            for probe in probes
        }
    except NoEvidenceError as error:
        raise NoEvidenceError(f"{_where(suite)} cannot be judged\n  {label}: {error.text}") from error
    return Answered(answers, scores)


def _where(suite: Suite) -> str:
    return f"{suite.span}: the suite '{suite.name}'" if suite.span else f"the suite '{suite.name}'"
