"""One probe and what a model answered in, right or wrong out."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass

from harness.engine.requests import Answer, Chosen, Generated, Measured
from harness.errors import NoEvidenceError
from harness.scoring.choice import Choice, Likelihood, bits_per_byte
from harness.suites.suite import Probe


@dataclass(frozen=True)
class Score:
    """`right`, and `shown`: the answer as a person would want to see it."""

    right: bool
    shown: str


def score(probe: Probe, answer: Answer, baseline: Answer | None = None) -> Score:
    """Judge an answer to a probe.

    Args:
        baseline: the baseline's answer to the same probe, for scores that are comparisons
            (likelihood); None when the baseline itself is judged.

    Raises:
        NoEvidenceError: the answer is of another kind than the probe asks for, NaN, infinite or incomplete.
    """
    scorer = probe.scorer
    for side in (answer, baseline):
        if problem := _problem(probe, side):
            raise NoEvidenceError(f"the probe '{probe.id}' has an answer {problem}")
    match answer:
        case Generated(text=text) if scorer.judges == "generate":
            # A blank answer says nothing, so it is wrong even where every check of form holds.
            return Score(_says_something(text) and scorer.right(text, probe.answers), text)
        case Chosen(logprobs=logprobs) if isinstance(scorer, Choice):
            chosen = probe.choices[scorer.chosen(probe.choices, logprobs)]
            return Score(chosen in probe.answers, chosen)
        case Measured(logprob=logprob) if isinstance(scorer, Likelihood) and probe.text:
            bits = bits_per_byte(logprob, probe.text)
            reference = baseline.logprob if isinstance(baseline, Measured) else logprob
            kept = scorer.kept(bits, bits_per_byte(reference, probe.text))
            return Score(kept, f"{bits:.3f} bits per byte")
    raise NoEvidenceError(
        f"the probe '{probe.id}' is judged by '{scorer.name}', and the answer is of the kind {type(answer).__name__}"
    )


def _says_something(text: str) -> bool:
    """Whether any character can be seen: no space, control or zero-width character can."""
    return any(unicodedata.category(character)[0] not in "CZ" for character in text)


def _problem(probe: Probe, answer: Answer | None) -> str | None:
    """Why nothing follows from the numbers of an answer, or None."""
    match answer:
        case Chosen(logprobs=logprobs):
            if len(logprobs) != len(probe.choices):
                return f"with {len(logprobs)} log-probabilities for {len(probe.choices)} choices"
        case Measured(logprob=logprob, tokens=tokens):
            logprobs = (logprob,)
            if tokens < 1:
                return "in which no token was measured"
        case _:
            return None
    if any(math.isnan(logprob) for logprob in logprobs):
        return "whose log-probability is NaN"
    if any(math.isinf(logprob) for logprob in logprobs):
        return "whose log-probability is infinite"
    return None
