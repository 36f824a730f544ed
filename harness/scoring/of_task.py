"""The answer to a document of a task of lm-evaluation-harness in, whether it is right and how it is shown out."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.engine.requests import Answer, ChoiceLogProbs, Generated
from harness.errors import HarnessError, NoEvidenceError, ScorerError, what_was_raised
from harness.lm_eval.results import MetricError, Response
from harness.suites.suite import Probe
from harness.suites.task_score import TaskScore


def judged(probe: Probe, scorer: TaskScore, answer: Answer) -> tuple[bool, str]:
    """Whether the task's metric calls an answer right, and its text, or the likeliest of the continuations.

    Raises:
        NoEvidenceError: the answer is not of the kind that the probe asks for, or is NaN or infinite.
        ScorerError: the metric judges no single answer, or the task's own code raised.
        InputError: the task cannot be built again, as for a record.
    """
    responses = _responses(probe, answer)
    if not responses or (scorer.judges == "generate") != isinstance(answer, Generated):
        raise NoEvidenceError(f"the probe '{probe.id}' has an answer of the kind {type(answer).__name__}")
    broke = f"{probe.span}: " if probe.span else ""
    broke += f"the task '{scorer.task}' cannot judge the probe '{probe.id}'"
    try:
        right = scorer.passes(int(probe.fields["doc"]), responses)
    except MetricError as error:
        raise ScorerError(f"{broke}\n  {error}") from error
    except HarnessError:
        raise
    except Exception as error:  # a task may run any code
        raise ScorerError(f"{broke}\n  {what_was_raised(error)}") from error
    return right, _shown(probe, answer)


def _responses(probe: Probe, answer: Answer) -> Sequence[Response]:
    match answer:
        case Generated(text=text):
            return [text]
        case ChoiceLogProbs(logprobs, greedy) if greedy:
            if not all(map(math.isfinite, logprobs)):
                raise NoEvidenceError(
                    f"the probe '{probe.id}' has an answer whose log-probability is no number"
                )
            return list(zip(logprobs, greedy, strict=True))
    return []


def _shown(probe: Probe, answer: Answer) -> str:
    match answer:
        case Generated(text=text):
            return text
        case ChoiceLogProbs(logprobs, greedy) if probe.choices:
            return probe.choices[max(range(len(probe.choices)), key=logprobs.__getitem__)]
        case ChoiceLogProbs(logprobs, greedy):
            written = "what it would write" if all(greedy) else "it would write something else"
            return f"log-probability {max(logprobs):z.2f}, {written}"
    return ""
