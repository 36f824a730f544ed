"""A probe with all that made-up replies to it take: its question, a right answer, the usual phrases of its language."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from harness.authoring.battery_phrases import Phrases
from harness.authoring.judge import Judge
from harness.authoring.near_duplicates import is_passage, without_passages
from harness.authoring.pattern_examples import examples
from harness.scoring.reading import normalised
from harness.scoring.text import Regex
from harness.suites.composed import Composed
from harness.suites.suite import Probe, Task
from harness.suites.template import fill
from harness.suites.weakness import MUST_BE_RIGHT, MustBeRight, MustBeWrong

TOKENS_A_WORD = 1.4
"""About how many tokens a word of English takes."""


@dataclass(frozen=True)
class Reply:
    """A reply as a model might write it, by its kind."""

    kind: MustBeWrong | MustBeRight
    text: str

    @property
    def right(self) -> bool:
        """Whether a careful reader would call it right."""
        return self.kind in MUST_BE_RIGHT


@dataclass(frozen=True)
class Asked:
    """A probe with all that its replies are made of."""

    probe: Probe
    task: Task
    phrases: Phrases
    judge: Judge
    key: str | None
    """A right answer as a model would write it; None if none is known."""
    others: tuple[str, ...] = ()
    """Right answers of other probes that are wrong here."""

    @cached_property
    def prompt(self) -> str:
        """The whole prompt, without shots."""
        return fill(self.task.prompt, self.probe.fields)

    @cached_property
    def question(self) -> str:
        """What is asked, without passages."""
        return without_passages(self.probe.fields) or self.prompt[-200:]

    @property
    def passage(self) -> str | None:
        """The first text to read, if there is one."""
        return next(filter(is_passage, self.probe.fields.values()), None)

    @property
    def room(self) -> int:
        """About how many words fit in `max_new_tokens`."""
        return max(1, int(self.task.max_new_tokens / TOKENS_A_WORD))


def derived_key(probe: Probe, judge: Judge) -> str | None:
    """A right answer of a probe; of a regular expression an example that it takes."""
    if not probe.answers:
        return None
    if isinstance(probe.scorer, Composed):
        return probe.answers[0] if judge(probe, probe.answers[0]) else None
    if not isinstance(probe.scorer, Regex):
        return probe.answers[0]
    texts = (text for pattern in probe.answers for text in examples(pattern))
    return next((text for text in texts if judge(probe, text)), None)


def differs(probe: Probe, key: str, other: str) -> bool:
    """Whether `other`, right elsewhere, is plainly not among the right answers of a probe, nor holds one, nor is part of one."""
    wanted = f" {normalised(other)} "
    for answer in (key, *probe.answers):
        own = f" {normalised(answer)} "
        if own in wanted or wanted in own or (_value(own) is not None and _value(own) == _value(wanted)):
            return False
    return True


def _value(text: str) -> float | None:
    """The value of a number in digits."""
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None
