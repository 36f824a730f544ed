"""Find what makes a valid suite a weak gate: the place, the weakness, and the remedy.

A suite can be valid and still prove little: an answer that its question gives away, the same question twice, a gate
over so few probes that no loss can fail it. None of this stops a run; `lint` reports it.
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
    """The weaknesses of a suite, in the order of the file."""
    weak = [
        *suite.warnings,
        *_answers_given_away(suite),
        *_asked_twice(suite),
        *_short_answers(suite),
        *_only_forbidden(suite),
        *_gates(suite),
    ]
    return sorted(weak, key=lambda problem: (problem.span is None, problem.span, problem.message))


def _answers_given_away(suite: Suite) -> Iterator[Problem]:
    for probe in suite.probes:
        if not isinstance(probe.scorer, Contains | Mentions | Equals):
            continue
        for answer in probe.answers:
            names = [name for name, text in probe.fields.items() if _gives_away(probe, text, answer)]
            if names:
                yield Problem(
                    probe.span,
                    f"the probe '{probe.id}' gives away its answer {answer!r} in its {names[0]}",
                    "a model that repeats the question would be right; ask in other words",
                )
                break


def _gives_away(probe: Probe, text: str, answer: str) -> bool:
    if len(text.split()) > LONG_TEXT_WORDS:  # a passage to read, which has to hold the answer
        return False
    if isinstance(probe.scorer, Mentions) or (isinstance(probe.scorer, Contains) and _one_letter(answer)):
        return mentions(text, answer)
    return probe.scorer.right(text, [answer])


def _asked_twice(suite: Suite) -> Iterator[Problem]:
    """Probes that ask what an earlier one asks: they count one piece of knowledge twice."""
    for pair in alike([_asked(probe) for probe in suite.probes]):
        first, second = suite.probes[pair.first], suite.probes[pair.second]
        how = "word for word" if pair.same_words else "in nearly the same words"
        yield Problem(
            second.span,
            f"the probe '{second.id}' asks {how} what '{first.id}' asks",
            "both are kept or lost together, so they count as one; change or remove one of them",
        )


def _asked(probe: Probe) -> Asked:
    others = {"choices": " ".join(probe.choices), "text": probe.text or ""}
    fields = {**probe.fields, **{name: text for name, text in others.items() if text}}
    return Asked(fields, probe.answers, probe.scorer)


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
    """Whether an answer is one letter or digit; a character that is a word, as in Chinese, is not."""
    text = answer.strip()
    return len(text) == 1 and unicodedata.category(text) in ("Lu", "Ll", "Nd")


def _only_forbidden(suite: Suite) -> Iterator[Problem]:
    """Checks that nearly any answer passes: each rule once, at the first probe that has it."""
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
    """Whether a rule requires nothing: it consists of limits and `not` alone."""
    return all(_forbids(name, value) for name, value in rule if value is not None)


def _forbids(name: str, value: Any) -> bool:
    if name in ("all", "any"):
        return (all if name == "all" else any)(map(only_forbids, value))
    return name in ("not_", "no_repetition") or name.startswith("max_")


def _gates(suite: Suite) -> Iterator[Problem]:
    for gate in suite.gates:
        if isinstance(gate, MarginGate):
            yield from _left_out(suite, gate)
            yield from _size(gate, _slices(suite, gate))


def _slices(suite: Suite, gate: MarginGate) -> dict[str, int]:
    """The number of probes in each slice of a gate: "all", or "'math'" and the other categories."""
    quote = "'" if gate.over == "category" else ""
    return {f"{quote}{shown_slice(name)}{quote}": len(probes) for name, probes in gate.slices(suite).items()}


def _left_out(suite: Suite, gate: MarginGate) -> Iterator[Problem]:
    without = [f"'{probe.id}'" for probe in suite.probes if probe.category is None]
    if without and gate.over == "category":
        yield Problem(
            gate.span,
            f"this gate leaves out {count(len(without), 'probe')} without a category: {some(without)}",
            "give each probe a category",
        )


def _size(gate: MarginGate, slices: Mapping[str, int]) -> Iterator[Problem]:
    """Verdicts that the size of the slices and the margin rule out; the gravest for each slice."""
    margin = gate.max_drop
    if margin >= 1 - ROUNDING:
        yield Problem(
            gate.span,
            "a gate with 'max_drop: 1' detects no loss: losing every answer is within the margin",
            "its verdict is always VACUOUS; choose a smaller margin",
        )
        return
    passes = gate.on_inconclusive == "pass"
    cannot_fail = {name: n for name, n in slices.items() if passes and not _can_fail(n, margin)}
    if cannot_fail:
        yield Problem(
            gate.span,
            f"this gate can never fail over {_sized(cannot_fail)}: even the loss of every answer is inconclusive, "
            "which passes",
            "add probes, or remove 'on_inconclusive: pass'",
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
            f"a model that loses nothing cannot be RETAINED over {_sized(never)}: the interval reaches "
            f"{100 * reach:.0f} points, and the margin is {points(margin)}",
            "add probes, or choose a larger margin",
        )


def _too_weak(gate: MarginGate, slices: Mapping[str, int]) -> Problem:
    drops = [drop for n in slices.values() if (drop := _detectable(n)) is not None]
    detected = f"a drop only from about {100 * min(drops):.0f} points on" if drops else "no drop at all"
    which = "the best of these" if len(slices) > 1 else "this"
    return Problem(
        gate.span,
        f"too few probes: {_sized(slices)}; {which} can detect {detected}",
        "30 probes detect about 20 points, 130 about 6; 'plan' shows what each gate can detect",
    )


def underpowered(n: int) -> bool:
    """Whether n probes detect a drop of UNDERPOWERED less than four times out of five."""
    drop = _detectable(min(n, 200))  # more probes detect smaller drops
    return drop is None or drop > UNDERPOWERED


def _detectable(n: int) -> float | None:
    return minimum_detectable_drop(n, FLIP_RATE / 2)


@lru_cache(maxsize=4096)
def _can_fail(n: int, margin: float) -> bool:
    """Whether any outcome over n probes is FORGOTTEN; losing them all is the worst."""
    return judge(comparison(0, n, 0, 0), margin) == "FORGOTTEN"


def _sized(slices: Mapping[str, int]) -> str:
    return some([f"{name} ({count(n, 'probe')})" for name, n in slices.items()])
