"""A probe and its suite in, its right answer as a text and wrong ones beside it out: what a choice is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from harness.engine.requests import Generated
from harness.errors import ScorerError
from harness.scoring.choice import Choice
from harness.scoring.score import score
from harness.suites.suite import Probe, Suite

DISTRACTORS = 3
LONGEST = 200
"""Characters of a right answer that can be a choice."""


def is_right(probe: Probe, text: str) -> bool:
    """Whether a text is a right answer to a probe; False where its score cannot tell by the text alone."""
    if probe.scorer.judges != "generate" or probe.scorer.runs_code or probe.item is not None:
        return False
    try:
        return score(probe, Generated(text, 1), by_rule=True).right
    except ScorerError:
        return False


def key_of(probe: Probe) -> str | None:
    """The right answer of a probe as a text to choose; None if it names none, or a pattern, or one that is long."""
    return next(
        (answer for answer in probe.answers if len(answer) <= LONGEST and is_right(probe, answer)), None
    )


def with_choices(suite: Suite, probes: Sequence[Probe], seed: str) -> list[Probe]:
    """The probes as choices: each its right answer, and those of up to three other probes of the suite, of its category first.

    Left out are probes without a right answer, or without a wrong one beside it.

    Args:
        suite: one whose task is to write: a probe has choices of its own only where the task is to choose, and is not asked
            so again.
        seed: another one draws other answers.
    """
    keys = {probe.id: key for probe in suite.probes if (key := key_of(probe))}
    made = (_with_choices(suite, probe, keys, seed) for probe in probes)
    return [probe for probe in made if probe is not None]


def _with_choices(suite: Suite, probe: Probe, keys: dict[str, str], seed: str) -> Probe | None:
    key = keys.get(probe.id)
    if key is None:
        return None
    chooser = Random(f"{seed} {suite.name} {probe.id}")
    others = [other for other in suite.probes if other.id in keys]
    near = [keys[other.id] for other in others if other.category == probe.category]
    far = [keys[other.id] for other in others if other.category != probe.category]
    wrong: dict[str, str] = {}
    for text in (*chooser.sample(near, len(near)), *chooser.sample(far, len(far))):
        if len(wrong) == DISTRACTORS:
            break
        if not _alike(text, key) and not is_right(probe, text):
            wrong.setdefault(text.casefold(), text)
    choices = [key, *wrong.values()]
    chooser.shuffle(choices)
    if not wrong:
        return None
    return replace(probe, choices=tuple(choices), answers=(key,), scorer=Choice())


def _alike(first: str, second: str) -> bool:
    """Whether one of two answers is part of the other."""
    first, second = first.casefold().strip(), second.casefold().strip()
    return first in second or second in first
