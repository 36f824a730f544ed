"""Check that a suite's pairs are evidence at all: the baseline knows something, and `max_new_tokens` cut few answers.

A gate that finds nothing lost proves something only if there was something to lose and the answers are complete.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import gammaln, xlog1py, xlogy

from harness.engine.requests import Generated, LogLikelihood
from harness.gate.compare import Pair
from harness.scoring.score import Score
from harness.spelling import option
from harness.stats.paired import ROUNDING, mcnemar_mid_p
from harness.suites.suite import Probe, Suite
from harness.wording import count, points

LEVEL = 0.05
"""Significance level at which a baseline counts as better than guessing."""

LEVEL_OF_CUTS = 0.01
"""Significance level for "one side was cut more often"; small, because every gate runs the test."""

LEAST_BETTER_THAN_UNIFORM = 1.25
"""A baseline knows the language if a uniform distribution over its vocabulary needs at least this many times its bits.
Random weights need about as many bits as the uniform distribution, or more."""

CUT_WORTH_A_WARNING = 0.05
"""Share of answers cut at `max_new_tokens` above which a run says so."""

BITS_PER_BYTE_OF_NOISE = 8.0


@dataclass(frozen=True)
class Cut:
    """How many of each model's `n` answers hit a token limit.

    `open_*` counts those whose verdict more words could have changed: all but the right ones of a score that settles.
    `only` counts the probes of which only the baseline's, and only the tuned model's, answer was cut; `only_open` those of which
    only one side's verdict is open.
    """

    baseline: int
    tuned: int
    open_baseline: int
    open_tuned: int
    only: tuple[int, int]
    only_open: tuple[int, int]
    n: int
    thinking_baseline: int = 0
    """Of those cut, how many were still reasoning and hold no answer."""
    thinking_tuned: int = 0

    @property
    def thinking(self) -> int:
        """How many answers of both sides were cut in their reasoning."""
        return self.thinking_baseline + self.thinking_tuned

    @property
    def remedy(self) -> str:
        """What the suite's author can do about it."""
        if self.thinking:
            return (
                "give reasoning more room, 'thinking: {max_tokens: …}' in the suite's task or "
                f"{option('thinking_tokens')}, or none, 'template: {{enable_thinking: false}}' or "
                f"{option('template_arg', 'enable_thinking=false')}"
            )
        return "raise 'max_new_tokens' in the suite's task"

    @property
    def still_open(self) -> str:
        """How many cut answers of each side could still have changed."""
        numbers = self.open_baseline, self.open_tuned
        return self.described("max_new_tokens", numbers, " whose verdict was still open")

    def limit(self, limit: str, numbers: tuple[int, int]) -> str:
        """What cut so many answers of each side: the `limit` of answers, or that of reasoning where all were cut there."""
        return limit if self.thinking < sum(numbers) else "the limit of reasoning"

    def described(self, limit: str, numbers: tuple[int, int], which: str = "") -> str:
        """So many answers of each side were cut, and some of those during reasoning.

        Args:
            limit: the name of the limit that cut answers, as opposed to reasoning.
        """
        by = self.limit(limit, numbers)
        text = f"{by} cut {count(numbers[0], 'answer')} of the baseline and {numbers[1]} of the tuned model{which}, of {self.n}"
        if not self.thinking:
            return text
        return f"{text}, of which {self.thinking_baseline} and {self.thinking_tuned} had not ended their reasoning"

    def unlike(self, margin: float) -> bool:
        """Whether one side was cut more often by over `margin` (a fraction), and not by chance (McNemar's mid-p), and has more
        open verdicts by as much."""
        return all(self._apart(counts, margin) for counts in (self.only, self.only_open))

    def _apart(self, counts: tuple[int, int], margin: float) -> bool:
        less, more = sorted(counts)
        return more - less > (margin + ROUNDING) * self.n and mcnemar_mid_p(more, less) <= LEVEL_OF_CUTS

    @property
    def worth_a_warning(self) -> bool:
        return max(self.baseline, self.tuned) > CUT_WORTH_A_WARNING * self.n


def noted_cuts(suite: Suite, cuts: Mapping[tuple[object, str], Cut]) -> str | None:
    """A note on how many answers to a suite were cut off, with what to do where reasoning was; None if few were.

    Args:
        cuts: by who asked, and by tuned model.
    """
    if not any(each.worth_a_warning for each in cuts.values()):
        return None
    worst = max(cuts.values(), key=lambda each: (each.thinking, each.tuned))
    limit = f"max_new_tokens ({suite.task.max_new_tokens})"
    text = worst.described(limit, (worst.baseline, worst.tuned))
    if (models := len({model for _, model in cuts})) > 1:
        before = _range([each.baseline / max(each.n, 1) for each in cuts.values()])
        after = _range([each.tuned / max(each.n, 1) for each in cuts.values()])
        by = worst.limit(limit, (worst.baseline, worst.tuned))
        text = f"{by} cut {before} of the baseline's answers and {after} of those of {models} tuned models"
    more = f"; {worst.remedy}" if worst.thinking else ""
    return f"{suite.name}: {text}; a cut answer is judged as far as it goes{more}"


def _range(shares: Sequence[float]) -> str:
    """ "9 to 88 %"; "100 %" where all are alike."""
    low, high = points(min(shares)), points(max(shares))
    return f"{low} %" if low == high else f"{low} to {high} %"


def nothing_known(asked: Sequence[tuple[Probe, Score]]) -> str | None:
    """Why there is no evidence that the baseline knows anything about a suite; None if there is.

    Right answers are tested against guessing, by the exact distribution of the number of right guesses (a binomial if all
    probes have the same number of choices). A text's likelihood is right by definition, so it is compared with a uniform
    distribution over the vocabulary.

    Args:
        asked: every probe of the suite that the baseline answered, and its score.
    """
    if any(probe.text is not None for probe, _ in asked):
        return _no_better_than_uniform(asked)
    return _guessing(asked, [chance(probe) for probe, _ in asked])


def _guessing(asked: Sequence[tuple[Probe, Score]], chances: Sequence[float]) -> str | None:
    right = sum(score.right for _, score in asked)
    if not right:
        return f"the baseline is right on none of the {len(asked)} probes asked"
    p = chance_of_guessing(right, chances)
    if p <= LEVEL:
        return None
    return (
        f"the baseline is right on {right} of the {len(asked)} probes asked, and guessing is right on "
        f"{sum(chances):.1f} on average (p = {p:.2f})"
    )


def chance(probe: Probe) -> float:
    """The chance that a guess is right: the share of right choices, 0 for generated answers."""
    choices = probe.choices
    return sum(choice in probe.answers for choice in choices) / len(choices) if choices else 0.0


def no_better_than_guessing(asked: Sequence[tuple[Probe, Score]]) -> str | None:
    """The same of a slice of right and wrong answers; of options that a question lists, a guess is one of them.

    A model that writes names no option at all in some answers, so this asks more of it than to know something.
    """
    return _guessing(asked, [_among(probe) or chance(probe) for probe, _ in asked])


def _among(probe: Probe) -> float:
    """The share of right options under `mentions: {among: [...]}`, 0 for others."""
    options = getattr(probe.scorer, "among", None) or ()
    return sum(option in probe.answers for option in options) / len(options) if options else 0.0


def chance_of_guessing(right: int, chances: Sequence[float]) -> float:
    """P(at least `right` of the guesses are right), exactly, if each is right with its own probability in `chances`.

    The Poisson binomial distribution, as the convolution of one binomial for each distinct probability.
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
    before = [_cut_part(pair.baseline) for pair in pairs]
    after = [_cut_part(pair.tuned) for pair in pairs]
    baseline, tuned = len(pairs) - before.count(None), len(pairs) - after.count(None)
    short = [(first is not None, second is not None) for first, second in zip(before, after, strict=True)]
    opened = [(_is_open(pair, pair.baseline), _is_open(pair, pair.tuned)) for pair in pairs]
    return Cut(
        baseline=baseline,
        tuned=tuned,
        open_baseline=sum(before for before, _ in opened),
        open_tuned=sum(after for _, after in opened),
        only=(short.count((True, False)), short.count((False, True))),
        only_open=(opened.count((True, False)), opened.count((False, True))),
        n=len(pairs),
        thinking_baseline=before.count("reasoning"),
        thinking_tuned=after.count("reasoning"),
    )


def _is_open(pair: Pair, score: Score | None) -> bool:
    """Whether an answer was cut, and more of it could have changed its verdict."""
    if score is None or _cut_part(score) is None:
        return False
    return not (score.right and pair.probe.scorer.settles)


def _cut_part(score: Score | None) -> Literal["answer", "reasoning"] | None:
    """Where a token limit cut an answer; None for a complete one.

    If the engine does not say why an answer ended, reasoning that is still open was cut.
    """
    answer = score.answer if score else None
    if not isinstance(answer, Generated):
        return None
    thinking = answer.reasoning is not None and not answer.reasoning.closed
    if answer.ended == "limit" or (answer.ended is None and thinking):
        return "reasoning" if thinking else "answer"
    return None


def _no_better_than_uniform(asked: Sequence[tuple[Probe, Score]]) -> str | None:
    """The same for texts, by bits summed over all of them; a text without a log-likelihood counts on neither side."""
    bits = uniform = 0.0
    for probe, score in asked:
        answer = score.answer
        if isinstance(answer, LogLikelihood) and probe.text:
            bits -= answer.logprob / math.log(2)
            uniform += (
                answer.tokens * math.log2(answer.vocabulary)
                if answer.vocabulary
                else BITS_PER_BYTE_OF_NOISE * len(probe.text.encode())
            )
    if uniform >= LEAST_BETTER_THAN_UNIFORM * bits:
        return None
    return (
        f"the baseline needs {bits:,.0f} bits for the {len(asked)} texts, and a model to which all tokens are equally "
        f"likely {uniform:,.0f}; one that knows them needs at most {uniform / LEAST_BETTER_THAN_UNIFORM:,.0f}"
    )
