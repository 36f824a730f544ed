"""All that was asked of a suite in; why its gates may not decide, or None, out.

A gate that finds nothing lost proves something only if there was something to lose, and if the answers are whole.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlog1py, xlogy

from harness.engine.requests import Generated, LogLikelihood
from harness.gate.compare import Pair
from harness.scoring.score import Score
from harness.spelling import option
from harness.stats.paired import ROUNDING, mcnemar_mid_p

LEVEL = 0.05
"""The chance that a baseline which only guesses is taken for one that knows something."""

LEVEL_OF_CUTS = 0.01
"""The chance that as many answers of both models are cut, and one is taken to be cut more; every gate is asked that."""

LEAST_BETTER_THAN_UNIFORM = 1.25
"""A model that gives every token of its vocabulary the same probability takes so many times the bits of one that knows
the language at all; models with random weights take as many or more."""

CUT_WORTH_A_WARNING = 0.05
"""The share of answers that may be cut at `max_new_tokens` before anyone is told."""

BITS_PER_BYTE_OF_NOISE = 8.0


@dataclass(frozen=True)
class Cut:
    """How many of `n` answers of each model `max_new_tokens` cut off, and how many to probes where it cut only that one's."""

    baseline: int
    tuned: int
    only_baseline: int
    only_tuned: int
    n: int
    thinking_baseline: int = 0
    """Of those cut, how many were still reasoning, and have no answer."""
    thinking_tuned: int = 0

    @property
    def remedy(self) -> str:
        """What an author does about it."""
        if self.thinking_baseline or self.thinking_tuned:
            return (
                "give reasoning more room, 'thinking: {max_tokens: …}' in the suite's task or "
                f"{option('thinking_tokens')}, or none, 'template: {{enable_thinking: false}}' or "
                f"{option('template_arg', 'enable_thinking=false')}"
            )
        return "raise 'max_new_tokens' in the suite's task"

    def described(self, limit: str) -> str:
        """How many answers of each side were cut, and how many of these before there was any.

        Args:
            limit: what cut them, where that was no limit of reasoning.
        """
        thinking = self.thinking_baseline + self.thinking_tuned
        by = limit if thinking < self.baseline + self.tuned else "the limit of reasoning"
        text = f"{by} cut {self.baseline} answers of the baseline and {self.tuned} of the tuned model, of {self.n}"
        if not thinking:
            return text
        return f"{text}, of which {self.thinking_baseline} and {self.thinking_tuned} had not ended their reasoning"

    def unlike(self, margin: float) -> bool:
        """Whether one side was cut more often by over `margin` (a fraction), and not by chance (McNemar's mid-p)."""
        less, more = sorted((self.only_baseline, self.only_tuned))
        return more - less > (margin + ROUNDING) * self.n and mcnemar_mid_p(more, less) <= LEVEL_OF_CUTS

    @property
    def worth_a_warning(self) -> bool:
        return max(self.baseline, self.tuned) > CUT_WORTH_A_WARNING * self.n


def nothing_known(pairs: Sequence[Pair]) -> str | None:
    """Why the baseline is not shown to know anything of what a suite asks; None where it is shown.

    Right answers are held against guessing by the exact distribution of guesses (a binomial where every probe has as many
    choices). A text's likelihood is right by definition, so it is held against a model that knows nothing: one for
    which all tokens of the vocabulary are equally likely.

    Args:
        pairs: every probe of the suite that was asked of both models.
    """
    if texts := [pair for pair in pairs if pair.probe.text is not None]:
        return _no_better_than_uniform(texts)
    right = sum(pair.baseline is not None and pair.baseline.right for pair in pairs)
    if not right:
        return f"the baseline is right on none of the {len(pairs)} probes asked"
    chances = [chance(pair) for pair in pairs]
    p = chance_of_guessing(right, chances)
    if p <= LEVEL:
        return None
    return (
        f"the baseline is right on {right} of the {len(pairs)} probes asked, and guessing is right on "
        f"{sum(chances):.1f} on average (p = {p:.2f})"
    )


def chance(pair: Pair) -> float:
    """How often a guess would be right: the share of a probe's choices that are; 0 where an answer is written."""
    choices = pair.probe.choices
    return sum(choice in pair.probe.answers for choice in choices) / len(choices) if choices else 0.0


def chance_of_guessing(right: int, chances: Sequence[float]) -> float:
    """P(at least `right` guesses are right) for guesses that are right with `chances`, exactly.

    The Poisson binomial distribution, by convolution of a binomial for each chance that there is.
    """
    distribution = np.ones(1)
    for p, n in Counter(chances).items():
        right_of_n = np.arange(n + 1)
        ways = gammaln(n + 1) - gammaln(right_of_n + 1) - gammaln(n - right_of_n + 1)
        distribution = np.convolve(
            distribution, np.exp(ways + xlogy(right_of_n, p) + xlog1py(n - right_of_n, -p))
        )
    return float(min(1.0, distribution[right:].sum()))


def cut(pairs: Sequence[Pair]) -> Cut:
    """How many answers were cut off on each side."""
    both = [(_was_cut(pair.baseline), _was_cut(pair.tuned)) for pair in pairs]
    return Cut(
        sum(before for before, _ in both),
        sum(after for _, after in both),
        both.count((True, False)),
        both.count((False, True)),
        len(pairs),
        sum(_was_cut(pair.baseline) and _was_thinking(pair.baseline) for pair in pairs),
        sum(_was_cut(pair.tuned) and _was_thinking(pair.tuned) for pair in pairs),
    )


def _was_cut(score: Score | None) -> bool:
    """Whether an answer ends at a limit; one that is all reasoning, of which nobody knows why it ends, must have."""
    if score is None or not isinstance(score.answer, Generated):
        return False
    return score.answer.ended == "limit" or (score.answer.ended is None and _was_thinking(score))


def _was_thinking(score: Score | None) -> bool:
    reasoning = score.answer.reasoning if score and isinstance(score.answer, Generated) else None
    return reasoning is not None and not reasoning.closed


def _no_better_than_uniform(pairs: Sequence[Pair]) -> str | None:
    """Summed over all texts; a text whose measure is not at hand counts on neither side."""
    bits = uniform = 0.0
    for pair in pairs:
        answer = pair.baseline.answer if pair.baseline else None
        if isinstance(answer, LogLikelihood) and pair.probe.text:
            bits -= answer.logprob / math.log(2)
            uniform += (
                answer.tokens * math.log2(answer.vocabulary)
                if answer.vocabulary
                else BITS_PER_BYTE_OF_NOISE * len(pair.probe.text.encode())
            )
    if uniform >= LEAST_BETTER_THAN_UNIFORM * bits:
        return None
    return (
        f"the baseline needs {bits:,.0f} bits for the {len(pairs)} texts, and a model to which all tokens are equally "
        f"likely {uniform:,.0f}; one that knows them needs at most {uniform / LEAST_BETTER_THAN_UNIFORM:,.0f}"
    )
