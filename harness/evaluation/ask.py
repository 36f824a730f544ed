"""An Engine and the probes of a suite in, its answers and their scores out; an error names the suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.engine.prompts import request
from harness.engine.registry import is_foreign
from harness.engine.requests import Answer, Engine, Progress, UnansweredError
from harness.errors import EngineError, HarnessError, NoEvidenceError, what_was_raised
from harness.scoring.score import Score, score
from harness.suites.suite import Probe, Suite


@dataclass(frozen=True)
class Answered:
    """What one model answered, and how it was judged, by the id of each probe."""

    answers: Mapping[str, Answer]
    scores: Mapping[str, Score]


def ask(
    engine: Engine,
    suite: Suite,
    probes: Sequence[Probe],
    *,
    baseline: Mapping[str, Answer] | None = None,
    progress: Progress | None = None,
    allow_code: bool = False,
) -> Answered:
    """Ask a model some probes of a suite and judge its answers.

    Args:
        baseline: the baseline's answers by id, for scores that are comparisons; None when the baseline is asked.

    Raises:
        EngineError: the model cannot answer the suite, or left a probe out.
        NoEvidenceError: nothing follows from its answers, as from NaN.
        ScorerError: a score broke, or runs code and may not.
    """
    place = f"{suite.span}: " if suite.span else ""
    if suite.task.answer not in engine.kinds:
        raise EngineError(
            f"{engine.label}: cannot answer the suite '{suite.name}': it has no 'answer: {suite.task.answer}'"
        )
    try:
        given = engine.ask([request(suite, probe) for probe in probes], progress)
        if not isinstance(given, Sequence):
            raise EngineError(f"{engine.label}: must give a list of answers, gave {type(given).__name__}")
        if len(given) != len(probes):
            raise EngineError(f"{engine.label}: gave {len(given)} answers to {len(probes)} requests")
    except UnansweredError as error:
        ids = ", ".join(f"'{probe.id}'" for probe in probes if request(suite, probe) == error.request)
        raise EngineError(
            f"{place}the suite '{suite.name}' cannot be asked: the probe {ids}\n  {error.text}"
        ) from error
    except EngineError as error:
        raise EngineError(f"{place}the suite '{suite.name}' cannot be asked\n  {error.text}") from error
    except Exception as error:
        if isinstance(error, HarnessError) or not is_foreign(engine):
            raise
        raise EngineError(
            f"{place}the suite '{suite.name}' cannot be asked\n  {engine.label}: {what_was_raised(error)}"
        ) from error
    answers = {probe.id: answer for probe, answer in zip(probes, given, strict=True)}
    return judged(suite, probes, answers, baseline=baseline, allow_code=allow_code, label=engine.label)


def judged(
    suite: Suite,
    probes: Sequence[Probe],
    answers: Mapping[str, Answer],
    *,
    baseline: Mapping[str, Answer] | None = None,
    allow_code: bool = False,
    label: str = "the model",
) -> Answered:
    """Judge what a model answered, by the id of each probe; raises NoEvidenceError and ScorerError as `ask`."""
    try:
        scores = {
            probe.id: score(probe, answers[probe.id], (baseline or {}).get(probe.id), allow_code=allow_code)
            for probe in probes
        }
    except NoEvidenceError as error:
        place = f"{suite.span}: " if suite.span else ""
        raise NoEvidenceError(
            f"{place}the suite '{suite.name}' cannot be judged\n  {label}: {error.text}"
        ) from error
    return Answered(answers, scores)
