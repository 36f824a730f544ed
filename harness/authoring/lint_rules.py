"""A Suite that can be run in, what makes it a weak gate out: a place, what was seen there, what to do.

A suite can be sound and still prove little: an answer that its question gives away, the same question twice, a gate
over so few probes that no loss could fail it. None of this stops a run; `lint` says it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from harness.authoring.near_duplicates import LONG_TEXT_WORDS, Asked, alike
from harness.errors import Problem
from harness.gate.cases import shown_slice
from harness.gate.compare import comparison
from harness.gate.verdict import judge
from harness.scoring.check import Rule
from harness.scoring.text import Contains, Equals, Mentions, mentions
from harness.stats.paired import ROUNDING, least_to_retain
from harness.stats.power import FLIP_RATE, minimum_detectable_drop
from harness.suites.suite import MarginGate, Probe, Suite
from harness.wording import count, points, some

UNDERPOWERED = 0.30
"""Slices whose minimum detectable drop exceeds this are reported as underpowered."""


def weaknesses(suite: Suite) -> list[Problem]:
    """What the author of a suite should look at, in the order of the file."""
    found = [
        *suite.warnings,
        *_answers_given_away(suite),
        *_asked_twice(suite),
        *_short_answers(suite),
        *_only_forbidden(suite),
        *_gates(suite),
    ]
    return sorted(found, key=lambda problem: (problem.span is None, problem.span, problem.message))


def _answers_given_away(suite: Suite) -> Iterator[Problem]:
    for probe in suite.probes:
        if not isinstance(probe.scorer, Contains | Mentions | Equals):
            continue
        for answer in probe.answers:
            if name := next(
                (name for name, text in probe.fields.items() if _gives_away(probe, text, answer)), None
            ):
                yield Problem(
                    probe.span,
                    f"the probe '{probe.id}' says its answer {answer!r} in its {name}",
                    "a model that repeats the question would be right; ask in other words",
                )
                break


def _gives_away(probe: Probe, text: str, answer: str) -> bool:
    if len(text.split()) > LONG_TEXT_WORDS:  # a text to read, in which the answer has to stand
        return False
    if isinstance(probe.scorer, Equals):  # only an answer that is nothing but the field would be right
        return probe.scorer.right(text, [answer])
    if isinstance(probe.scorer, Contains) and not _one_letter(answer):
        return probe.scorer.right(text, [answer])
    return mentions(text, answer)


def _asked_twice(suite: Suite) -> Iterator[Problem]:
    """Probes that ask what an earlier one asks: they count one piece of knowledge twice."""
    if suite.task.answer == "likelihood":
        asked = [Asked({"text": probe.text or ""}, (), probe.scorer) for probe in suite.probes]
    else:
        asked = [_asked(probe) for probe in suite.probes]
    for pair in alike(asked):
        first, second = suite.probes[pair.first], suite.probes[pair.second]
        how = "word for word" if pair.same_words else "in nearly the same words"
        yield Problem(
            second.span,
            f"the probe '{second.id}' asks {how} what '{first.id}' asks",
            "both are kept or lost together, so they count as one; change or remove one of them",
        )


def _asked(probe: Probe) -> Asked:
    choices = {"choices": " ".join(probe.choices)} if probe.choices else {}
    return Asked({**probe.fields, **choices}, probe.answers, probe.scorer)


def _short_answers(suite: Suite) -> Iterator[Problem]:
    for probe in suite.probes:
        if isinstance(probe.scorer, Contains) and (short := next(filter(_one_letter, probe.answers), None)):
            yield Problem(
                probe.span,
                f"the probe '{probe.id}' looks for the one letter {short!r} under 'contains', which finds it inside "
                "longer words and numbers",
                "score it with 'mentions' (whole words) or 'equals'",
            )


def _one_letter(answer: str) -> bool:
    """Whether an answer is one letter or digit; a character that is a word, as in Chinese, is more than that."""
    text = answer.strip()
    return len(text) == 1 and unicodedata.category(text) in ("Lu", "Ll", "Nd")


def _only_forbidden(suite: Suite) -> Iterator[Problem]:
    """Checks under which nearly any answer is right: each rule once, at the first probe that has it."""
    probes: dict[str, list[Probe]] = {}
    for probe in suite.probes:
        if isinstance(probe.scorer, Rule) and only_forbids(probe.scorer):
            probes.setdefault(repr(probe.scorer), []).append(probe)
    for first, *others in probes.values():
        more = f" (and {len(others)} more under the same check)" if others else ""
        yield Problem(
            first.span,
            f"the check of the probe '{first.id}' only forbids{more}: an answer of one wrong word passes it",
            "ask for something as well, such as 'min_words' or 'mentions'",
        )


def only_forbids(rule: Rule) -> bool:
    """Whether a rule asks for nothing: it is made of limits and `not` alone."""
    asked: Mapping[str, Any] = {
        name: value for name in type(rule).model_fields if (value := getattr(rule, name)) is not None
    }
    return all(_forbids(name, value) for name, value in asked.items())


def _forbids(name: str, value: Any) -> bool:
    match name:
        case "all":
            return all(only_forbids(rule) for rule in value)
        case "any":
            return any(only_forbids(rule) for rule in value)
    return name in ("not_", "no_repetition") or name.startswith("max_")


def _gates(suite: Suite) -> Iterator[Problem]:
    for gate in suite.gates:
        if isinstance(gate, MarginGate):
            yield from _left_out(suite, gate)
            yield from _size(gate, _slices(suite, gate))


def _slices(suite: Suite, gate: MarginGate) -> dict[str, int]:
    """The number of probes in each slice that a gate is over: of "all", or of "'math'" and other categories."""
    sizes = {shown_slice(name): len(probes) for name, probes in gate.slices(suite).items()}
    return sizes if gate.over == "all" else {f"'{name}'": n for name, n in sizes.items()}


def _left_out(suite: Suite, gate: MarginGate) -> Iterator[Problem]:
    without = [f"'{probe.id}'" for probe in suite.probes if probe.category is None]
    if without and gate.over == "category":
        yield Problem(
            gate.span,
            f"{count(len(without), 'probe has', 'probes have')} no category and {'is' if len(without) == 1 else 'are'} "
            f"left out of this gate: {some(without)}",
            "give each probe a category",
        )


def _size(gate: MarginGate, slices: Mapping[str, int]) -> Iterator[Problem]:
    """What the size of the slices and the margin rule out; the gravest of it for each slice."""
    margin = gate.max_drop
    if margin >= 1 - ROUNDING:
        yield Problem(
            gate.span,
            "a gate with 'max_drop: 1' can see no loss: losing every answer is within it",
            "its verdict is always VACUOUS; choose a margin that you would not accept to lose",
        )
        return
    passes = gate.on_inconclusive == "pass"
    cannot_fail = {name: n for name, n in slices.items() if passes and not _can_fail(n, margin)}
    if cannot_fail:
        yield Problem(
            gate.span,
            f"this gate can never fail over {_sized(cannot_fail)}: even if every answer is lost, that is "
            "inconclusive, which passes",
            "add probes, or leave 'on_inconclusive: pass' out",
        )
    others = {name: n for name, n in slices.items() if name not in cannot_fail}
    if weak := {name: n for name, n in others.items() if underpowered(n)}:
        yield _too_weak(gate, weak)
    needed = least_to_retain(margin)
    never = {name: n for name, n in others.items() if name not in weak and (needed is None or n < needed)}
    if never:
        reach = max(comparison(n, 0, 0, 0).interval[1] for n in never.values())
        yield Problem(
            gate.span,
            f"a model that loses nothing cannot be called RETAINED over {_sized(never)}: the interval reaches "
            f"{100 * reach:.0f} points, and the margin is {points(margin)}",
            "add probes, or take a larger margin",
        )


def _too_weak(gate: MarginGate, slices: Mapping[str, int]) -> Problem:
    """What to say of underpowered slices."""
    drops = [drop for n in slices.values() if (drop := _detectable(n)) is not None]
    seen = f"a drop only from about {100 * min(drops):.0f} points on" if drops else "no drop at all"
    return Problem(
        gate.span,
        f"too few probes to see anything: {_sized(slices)}; {'the best of ' if len(slices) > 1 else ''}this sees {seen}",
        "30 probes see about 20 points, 130 about 6; 'plan' says what each gate sees",
    )


def underpowered(n: int) -> bool:
    """Whether n probes are too few to tell a drop of UNDERPOWERED from chance, four times out of five."""
    drop = _detectable(min(n, 200))  # more detect smaller drops
    return drop is None or drop > UNDERPOWERED


def _detectable(n: int) -> float | None:
    return minimum_detectable_drop(n, FLIP_RATE / 2)


@lru_cache(maxsize=4096)
def _can_fail(n: int, margin: float) -> bool:
    """Whether any outcome over n probes is FORGOTTEN: losing them all is the worst there is."""
    return judge(comparison(0, n, 0, 0), margin) == "FORGOTTEN"


def _sized(slices: Mapping[str, int]) -> str:
    return some([f"{name} ({count(n, 'probe')})" for name, n in slices.items()])
