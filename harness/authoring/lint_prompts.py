"""Find what the prompts and limits of a suite give away or cut off: the place, the weakness, and the remedy."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from harness.authoring.battery_asked import TOKENS_A_WORD
from harness.authoring.findings import Finding
from harness.authoring.judge import Judge
from harness.authoring.near_duplicates import like_any, without_passages
from harness.scoring.text import Contains, Mentions, Regex
from harness.suites.suite import Probe, Shot, Suite

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")

WORDS_AROUND = 12
"""How many words a model may write around an answer."""


def answered_by_shots(suite: Suite) -> Iterator[Finding]:
    """Probes that a few-shot example asks, or answers on its way."""
    for probe, shot in _alike_shots(suite):
        words = " ".join(shot.fields.values())
        yield Finding.of(
            probe,
            "shot",
            f"a shot of the task answers the probe '{probe.id}': {words[-80:]!r}, {shot.answer[:80]!r}",
            "every prompt begins with the shots; change the shot or the probe",
        )


def _alike_shots(suite: Suite) -> Iterator[tuple[Probe, Shot]]:
    shots, probes = suite.task.shots, suite.probes
    if not shots:
        return
    judge = Judge()
    near = like_any([shot.fields for shot in shots], [probe.fields for probe in probes])
    counted = [_NUMBER.findall(f"{without_passages(shot.fields)} {shot.answer}") for shot in shots]
    for place, probe in enumerate(probes):
        if place in near:
            yield probe, shots[near[place]]
            continue
        own = _NUMBER.findall(without_passages(probe.fields))
        if len(own) < 2:  # one number alone is shared by chance
            continue
        for shot, held in zip(shots, counted, strict=True):
            if all(own.count(number) <= held.count(number) for number in own) and _answers(
                judge, probe, shot
            ):
                yield probe, shot
                break


def _answers(judge: Judge, probe: Probe, shot: Shot) -> bool:
    """Whether the answer of a shot is right for a probe, as far as that can be told without running code."""
    if probe.scorer.runs_code or probe.scorer.judges != "generate" or not probe.answers:
        return False
    return judge(probe, shot.answer) is True


def numbers_in_questions(suite: Suite) -> Iterator[Finding]:
    """Numbers that are looked for as text and stand in the question as part of another, such as 14 in 14:30."""
    for probe in suite.probes:
        if not isinstance(probe.scorer, Contains | Mentions):
            continue
        asked = without_passages(probe.fields)
        for answer in filter(str.isdecimal, probe.answers):
            if inside := re.search(rf"\S*(?<!\d){re.escape(answer)}(?!\d)\S*", asked):
                yield Finding.of(
                    probe,
                    "number_in_question",
                    f"the probe '{probe.id}' looks for the number {answer}, which is part of {inside[0]!r} in its question",
                    "score it with 'number', or ask for another number",
                )
                break


def short_limits(suite: Suite) -> Iterator[Finding]:
    """Answers that `max_new_tokens` would cut if they stood in a sentence."""
    if suite.task.answer != "generate":
        return
    for probe in suite.probes:
        if not probe.answers or isinstance(probe.scorer, Regex):
            continue
        words = min(len(re.findall(r"\w+|[{}\[\]:]", answer)) for answer in probe.answers)
        needed = math.ceil(TOKENS_A_WORD * (words + WORDS_AROUND))
        if needed > suite.task.max_new_tokens:
            yield Finding.of(
                probe,
                "short_limit",
                f"'max_new_tokens: {suite.task.max_new_tokens}' cuts the answer of the probe '{probe.id}' in a sentence, "
                f"which takes about {needed} tokens",
                "a model that writes more would be wrong for that alone; raise it",
            )
