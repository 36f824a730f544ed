"""A probe and an answer in, a Score out."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass, field

from harness.engine.requests import Answer, ChoiceLogProbs, Generated, LogLikelihood
from harness.errors import NoEvidenceError, ScorerError, what_was_raised
from harness.normalise import answer_of
from harness.scoring.choice import Choice, Likelihood, bits_per_byte
from harness.scoring.word_order import LEAST_GAIN, orders
from harness.spelling import option
from harness.suites.suite import Probe
from harness.suites.task_score import TaskScore


@dataclass(frozen=True)
class Score:
    """A judged answer: `right`, `shown` for people, and the engine's `answer`."""

    right: bool
    shown: str
    answer: Answer | None = field(default=None, compare=False)


def score(
    probe: Probe,
    answer: Answer,
    baseline: Answer | None = None,
    *,
    allow_code: bool = False,
    by_rule: bool = False,
) -> Score:
    """Judge an answer to a probe.

    Args:
        baseline: the baseline's answer to the same probe, for scores that compare (likelihood); None to judge the
            baseline itself.
        allow_code: whether a score may run code in the answer.
        by_rule: judge without the word order that `fluent` asks for, as before it is measured or where it cannot be.

    Raises:
        NoEvidenceError: the answer is not of the kind that the probe asks for, is NaN, infinite or incomplete, or its word
            order was not measured.
        ScorerError: the score raised, or would run code without permission.
    """
    scorer = probe.scorer
    if isinstance(scorer, TaskScore):
        from harness.scoring.of_task import judged

        return Score(*judged(probe, scorer, answer), answer)
    for side in (answer, baseline):
        if problem := _problem(probe, side):
            raise NoEvidenceError(f"the probe '{probe.id}' has an answer {problem}")
    match answer:
        case Generated(text=text) if scorer.judges == "generate":
            # A blank answer is wrong, even if every check of its form holds; so is reasoning that was cut off.
            reply = answer_of(text)
            right = says_something(reply) and _right(probe, reply, allow_code)
            return Score(right and (by_rule or _fluent(probe, reply, answer.word_order)), text, answer)
        case ChoiceLogProbs(logprobs=logprobs) if isinstance(scorer, Choice):
            chosen = probe.choices[scorer.chosen(probe.choices, logprobs)]
            return Score(chosen in probe.answers, chosen, answer)
        case LogLikelihood(logprob=logprob) if isinstance(scorer, Likelihood) and probe.text:
            bits = bits_per_byte(logprob, probe.text)
            reference = baseline.logprob if isinstance(baseline, LogLikelihood) else logprob
            kept = scorer.kept(bits, bits_per_byte(reference, probe.text))
            return Score(kept, f"{bits:.3f} bits per byte", answer)
    raise NoEvidenceError(
        f"the probe '{probe.id}' is judged by '{scorer.name}', and the answer is of the kind {type(answer).__name__}"
    )


def _fluent(probe: Probe, reply: str, word_order: float | None) -> bool:
    """Whether the words stand in their order, where the score asks for that and there are enough of them to tell."""
    if not probe.scorer.asks_order or not orders(reply):
        return True
    if word_order is None:
        raise NoEvidenceError(
            f"the probe '{probe.id}' has an answer whose word order was not measured, which 'fluent' asks for\n"
            "  run the gate again: only a model can measure it"
        )
    return word_order >= LEAST_GAIN


def _right(probe: Probe, text: str, allow_code: bool) -> bool:
    """The score's own judgement; if it raises, the answer is neither right nor wrong, so that is an error."""
    if probe.scorer.runs_code and not allow_code:
        raise ScorerError(
            f"{_broke(probe)}\n  it runs code that a model wrote; allow it with {option('allow_code')}"
        )
    try:
        right = probe.scorer.right(text, probe.answers)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # pytest.skip() and sys.exit() too, which would decide the case
        raised = f"{_broke(probe)}\n  {what_was_raised(error)}\n  the answer was {text[:100]!r}"
        raise ScorerError(raised) from error
    if not isinstance(right, bool):
        raise ScorerError(f"{_broke(probe)}\n  it must return True or False, returned {_kind(right)}")
    return right


def _broke(probe: Probe) -> str:
    place = f"{probe.span}: " if probe.span else ""
    return f"{place}the score '{probe.scorer.name}' cannot judge the probe '{probe.id}'"


def _kind(value: object) -> str:
    """The type of a value, with its module unless it is built in: numpy's bool is called 'bool' too."""
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def says_something(text: str) -> bool:
    """Whether any character is visible, as spaces, controls and zero-width characters are not."""
    return any(unicodedata.category(character)[0] not in "CZ" for character in text)


def _problem(probe: Probe, answer: Answer | None) -> str | None:
    """Why an answer's numbers are no evidence, or None."""
    match answer:
        case ChoiceLogProbs(logprobs=logprobs):
            if len(logprobs) != len(probe.choices):
                return f"with {len(logprobs)} log-probabilities for {len(probe.choices)} choices"
            return _no_number(*logprobs)
        case LogLikelihood():
            return likelihood_problem(answer)
    return None


def likelihood_problem(measured: LogLikelihood) -> str | None:
    """Why the log-probability of a text is no evidence, or None."""
    if measured.tokens < 1:
        return "in which no token was measured"
    if 0 <= measured.logprob < math.inf:
        return f"whose log-probability is {measured.logprob:g}: no model is certain of a text"
    return _no_number(measured.logprob)


def _no_number(*logprobs: float) -> str | None:
    if any(map(math.isnan, logprobs)):
        return "whose log-probability is NaN"
    return "whose log-probability is infinite" if any(map(math.isinf, logprobs)) else None
