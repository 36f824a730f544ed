"""Find what makes a valid suite a weak gate: the place, the weakness, and the remedy.

A suite can be valid and still prove little: an answer that its question gives away, the same question twice, a gate
over so few probes that no loss can fail it. None of this stops a run; `lint` reports it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from harness.authoring.lint_sizes import weak_gates
from harness.authoring.near_duplicates import LONG_TEXT_WORDS, Asked, alike
from harness.errors import Problem
from harness.scoring.check import Rule
from harness.scoring.text import Contains, Equals, Mentions, mentions
from harness.suites.suite import Probe, Suite


def weaknesses(suite: Suite) -> list[Problem]:
    """The weaknesses of a suite, in the order of the file."""
    weak = [
        *suite.warnings,
        *_answers_given_away(suite),
        *_asked_twice(suite),
        *_short_answers(suite),
        *_only_forbidden(suite),
        *weak_gates(suite),
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
