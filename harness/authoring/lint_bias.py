"""Find keys that a model without knowledge guesses by their place or length: the weakness, and the remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.authoring.findings import Finding
from harness.authoring.judge import Judge
from harness.authoring.options_listed import options
from harness.stats.uniform import extreme_p_value, places_p_value
from harness.suites.suite import Probe, Suite

LEVEL = 0.01
"""Biases with a larger p-value may be chance."""


def biases(suite: Suite) -> Iterator[Finding]:
    """Places and lengths that the right one of several choices, or of the options in a question, has too often."""
    choosing = suite.task.answer == "choose"
    judge = Judge()
    found = (_of_choices(probe) if choosing else _of_options(probe, judge) for probe in suite.probes)
    places = [place for place in found if place is not None]
    p_value = places_p_value(places)
    if p_value < LEVEL:
        most, times = Counter(place for place, _ in places).most_common(1)[0]
        noun = "choice" if choosing else "option"
        yield Finding(
            "position",
            suite.span,
            f"the right {noun} stands at place {most + 1} in {times} of {len(places)} probes ({_shown(p_value)})",
            f"a model that always takes that place gains by it; order the {noun}s so that each place is right as often",
        )
    if choosing:
        yield from _lengths(suite)


def _lengths(suite: Suite) -> Iterator[Finding]:
    """The worse of two biases: keys that are the longest, or the shortest, more or less often than others."""
    measured = {word: _extremes(suite, sign) for word, sign in (("longest", 1), ("shortest", -1))}
    word, drawn = min(measured.items(), key=lambda item: extreme_p_value(item[1]))
    p_value = extreme_p_value(drawn)
    if p_value < LEVEL:
        times = sum(largest / ties for largest, ties, _ in drawn)
        by_chance = sum(1 / of for _, _, of in drawn)
        yield Finding(
            "length",
            suite.span,
            f"the right choice is the {word} in {times:.0f} of {len(drawn)} probes, by chance in {by_chance:.0f} "
            f"({_shown(p_value)})",
            "length tells something of the answer; write choices of about equal length, or compare them by 'choice: "
            "{per_byte: true}'",
        )


def _extremes(suite: Suite, sign: int) -> list[tuple[bool, int, int]]:
    """Of each probe: whether its key is the longest choice (the shortest, if `sign` is -1), how many tie for it, of how many."""
    drawn = []
    for probe in suite.probes:
        if len(probe.answers) == 1:
            lengths = [sign * len(choice.encode()) for choice in probe.choices]
            key = lengths[probe.choices.index(probe.answers[0])]
            drawn.append((key == max(lengths), lengths.count(max(lengths)), len(lengths)))
    return drawn


def _shown(p_value: float) -> str:
    return f"p = {p_value:.2g}" if p_value >= 0.0001 else "p < 0.0001"


def _of_choices(probe: Probe) -> tuple[int, int] | None:
    """The place of the right choice, from 0, and the number of choices; None if several are right."""
    return (probe.choices.index(probe.answers[0]), len(probe.choices)) if len(probe.answers) == 1 else None


def _of_options(probe: Probe, judge: Judge) -> tuple[int, int] | None:
    """The same of the options that a question lists, if one of them is right."""
    if not probe.answers or probe.scorer.judges != "generate" or probe.scorer.runs_code:
        return None
    listed = options(" ".join(probe.fields.values()), things=False)
    right = [place for place, option in enumerate(listed) if judge(probe, option)]
    return (right[0], len(listed)) if len(right) == 1 else None
