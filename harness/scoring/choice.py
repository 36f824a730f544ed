"""Scores of log-probabilities: choice (which of several) and likelihood (how well a text is predicted)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from harness.scoring.registry import scorer
from harness.suites.format import AnswerKind
from harness.suites.scorer import Expects, Scorer


@scorer("choice")
class Choice(Scorer):
    """The likeliest choice is the right one; with `per_byte` or `per_character`, likeliest for its length.

    These are lm-evaluation-harness's `acc`, `acc_bytes` and `acc_norm`, which divides by characters.
    """

    judges: ClassVar[AnswerKind] = "choose"

    per_byte: bool = Field(
        False,
        description="Compare log-probabilities per byte of the choice, so that long choices are not put down.",
    )
    per_character: bool = Field(
        False, description="The same per character, which differs from bytes outside of ASCII."
    )

    @model_validator(mode="after")
    def _has_one_measure(self) -> Self:
        if self.per_byte and self.per_character:
            raise ValueError("'per_byte' and 'per_character' exclude each other")
        return self

    def chosen(self, choices: Sequence[str], logprobs: Sequence[float]) -> int:
        """The index of the chosen choice; the first of equals."""
        weights = [logprob / self._length(choice) for choice, logprob in zip(choices, logprobs, strict=True)]
        return max(range(len(weights)), key=weights.__getitem__)

    def _length(self, choice: str) -> int:
        if self.per_byte:
            return len(choice.encode())
        return len(choice) if self.per_character else 1


@scorer("likelihood")
class Likelihood(Scorer):
    """A text is kept while its bits per byte rise by at most `max_rise` (a fraction) over the baseline's.

    Bits per byte do not depend on the tokenizer, so a changed vocabulary compares too. The baseline is
    right by definition: a text can be lost, never gained.
    """

    judges: ClassVar[AnswerKind] = "likelihood"
    expects: ClassVar[Expects] = "none"

    max_rise: Annotated[float, Field(ge=0)] = Field(
        0.05, description="The rise in bits per byte that still counts as kept, as a fraction."
    )

    def kept(self, bits_per_byte: float, baseline_bits_per_byte: float) -> bool:
        """Whether the tuned model predicts the text about as well as the baseline."""
        return bits_per_byte <= baseline_bits_per_byte * (1 + self.max_rise)


def bits_per_byte(logprob: float, text: str) -> float:
    """-log2 p(text) / bytes of the text in UTF-8; `logprob` in nats."""
    return -logprob / math.log(2) / len(text.encode())
