"""Find what makes a valid suite a weak gate: the place, the weakness, and the remedy.

A suite can be valid and still prove little: an answer that its question gives away, the same question twice, a gate
over so few probes that no loss can fail it. None of this stops a run; `lint` reports it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from harness.authoring.examples import PROBES
from harness.authoring.findings import Finding, warnings
from harness.authoring.judge import Judge
from harness.authoring.lint_battery import battery_findings
from harness.authoring.lint_bias import biases
from harness.authoring.lint_prompts import answered_by_shots, numbers_in_questions, short_limits
from harness.authoring.lint_sizes import weak_gates
from harness.authoring.near_duplicates import alike, asked, is_passage
from harness.errors import Problem
from harness.scoring.check import Rule
from harness.scoring.text import Contains, Equals, Mentions, mentions
from harness.suites.composed import Composed, simple
from harness.suites.scorer import Scorer
from harness.suites.suite import Probe, Suite

EVERYDAY = frozenset(
    ("a", "i", "yes", "no", "not", "he", "she", "it", "we", "us", "in", "on", "at", "as", "of", "to", "is", "am", "be", "do", "go",
     "so", "or", "if", "may", "can", "will", "and", "the")
)  # fmt: skip
"""Words of English that most replies mention, whatever they say."""


def weaknesses(suite: Suite, *, with_battery: bool = False) -> list[Problem]:
    """The weaknesses of a suite, in the order of the file.

    Args:
        with_battery: whether to have its scores judge the replies of `harness.authoring.battery` too.
    """
    sizes = [Finding("size", weak.span, weak.message, weak.hint or "") for weak in weak_gates(suite)]
    if suite.is_of_a_task:  # whose questions and keys are not the author's to change
        return [*suite.warnings, *warnings(suite, sizes, with_battery)]
    given_away = list(_answers_given_away(suite))
    known = {finding.probe.id for finding in given_away if finding.probe is not None}
    found = [
        *given_away,
        *_asked_twice(suite),
        *_short_answers(suite),
        *_only_forbidden(suite),
        *answered_by_shots(suite),
        *(
            finding
            for finding in numbers_in_questions(suite)
            if finding.probe and finding.probe.id not in known
        ),
        *short_limits(suite),
        *biases(suite),
        *sizes,
        *(battery_findings(suite, known) if with_battery else ()),
    ]
    weak = [*suite.warnings, *_unedited(suite), *warnings(suite, found, with_battery)]
    return sorted(weak, key=lambda problem: (problem.span is None, problem.span, problem.message))


def _unedited(suite: Suite) -> Iterator[Problem]:
    """The examples of a new suite, which say nothing of what its author wants to keep."""
    left = [probe for probe in suite.probes if re.fullmatch(r"example-\d+", probe.id) and _is_example(probe)]
    if left:
        message = f"{len(left)} of {len(suite.probes)} probes are the examples of a new suite"
        yield Problem(left[0].span, message, "replace them by what your model must not forget")


def _is_example(probe: Probe) -> bool:
    asked = [*probe.fields.values(), *filter(None, [probe.text])]
    return any(
        text.split("\n")[0][:40] in example
        for text in asked
        for examples in PROBES.values()
        for example in examples
    )


def _answers_given_away(suite: Suite) -> Iterator[Finding]:
    for probe in suite.probes:
        if not any(isinstance(scorer, Contains | Mentions | Equals) for scorer in simple(probe.scorer)):
            continue
        for answer in probe.answers:
            names = [name for name, text in probe.fields.items() if _gives_away(probe, text, answer)]
            if names:
                yield Finding.of(
                    probe,
                    "given_away",
                    f"the probe '{probe.id}' gives away its answer {answer!r} in its {names[0]}",
                    "a model that repeats the question would be right; ask in other words",
                )
                break


def _gives_away(probe: Probe, text: str, answer: str) -> bool:
    if is_passage(text):  # which has to hold the answer
        return False
    among = isinstance(probe.scorer, Mentions) and probe.scorer.among  # the question names all options
    if (isinstance(probe.scorer, Mentions) and not among) or (
        isinstance(probe.scorer, Contains) and _one_letter(answer)
    ):
        return mentions(text, answer)
    return Judge()(replace(probe, answers=(answer,)), text) is True


def _asked_twice(suite: Suite) -> Iterator[Finding]:
    """Probes that ask what an earlier one asks: they count one piece of knowledge twice."""
    for pair in alike([asked(probe) for probe in suite.probes]):
        first, second = suite.probes[pair.first], suite.probes[pair.second]
        how = "word for word" if pair.same_words else "in nearly the same words"
        yield Finding.of(
            second,
            "near_duplicate",
            f"the probe '{second.id}' asks {how} what '{first.id}' asks",
            "both are kept or lost together, so they count as one; change or remove one of them",
        )


def _short_answers(suite: Suite) -> Iterator[Finding]:
    for probe in suite.probes:
        short = next(filter(_one_letter, probe.answers), None)
        scorers = list(simple(probe.scorer))
        if short is not None and any(isinstance(scorer, Contains) for scorer in scorers):
            yield Finding.of(
                probe,
                "one_letter",
                f"the probe '{probe.id}' looks for the one letter {short!r} under 'contains', which finds it inside "
                "longer words and numbers",
                "score it with 'mentions' (whole words) or 'equals'",
            )
        elif (word := next(filter(_is_everyday, probe.answers), None)) and any(map(_finds_anywhere, scorers)):
            yield Finding.of(
                probe,
                "one_letter",
                f"the probe '{probe.id}' looks for {word!r} anywhere, which is a word of most replies",
                "name the options, as in 'mentions: {among: [yes, no]}', score it with 'equals', or ask so that the "
                "answer is longer",
            )


def _is_everyday(answer: str) -> bool:
    return answer.strip().casefold() in EVERYDAY


def _finds_anywhere(scorer: Scorer) -> bool:
    return isinstance(scorer, Contains) or (isinstance(scorer, Mentions) and not scorer.among)


def _one_letter(answer: str) -> bool:
    """Whether an answer is one letter or digit; a character that is a word, as in Chinese, is not."""
    text = answer.strip()
    return len(text) == 1 and unicodedata.category(text) in ("Lu", "Ll", "Nd")


def _only_forbidden(suite: Suite) -> Iterator[Finding]:
    """Checks that nearly any answer passes: each rule once, at the first probe that has it."""
    probes: dict[str, list[Probe]] = {}
    for probe in suite.probes:
        if only_forbids(probe.scorer):
            probes.setdefault(repr(probe.scorer), []).append(probe)
    for first, *others in probes.values():
        more = f" (and {len(others)} more under the same check)" if others else ""
        yield Finding.of(
            first,
            "only_forbids",
            f"the {_name(first)} of the probe '{first.id}' only forbids{more}: an answer of one wrong word passes it",
            "ask for something as well, such as 'min_words' or 'mentions'",
        )


def _name(probe: Probe) -> str:
    return "check" if isinstance(probe.scorer, Rule) else f"score '{probe.scorer.name}'"


def only_forbids(rule: Rule | Scorer) -> bool:
    """Whether a rule or score requires nothing: it consists of limits and `not` alone."""
    if isinstance(rule, Composed):
        of = all if rule.name == "all" else any
        return rule.name == "not" or of(only_forbids(piece.scorer) for piece in rule.pieces)
    if not isinstance(rule, Rule):
        return False
    values = ((name, getattr(rule, name)) for name in Rule.model_fields)
    return all(_forbids(name, value) for name, value in values if value is not None)


def _forbids(name: str, value: Any) -> bool:
    if name in ("all", "any"):
        return (all if name == "all" else any)(map(only_forbids, value))
    return name in ("not_", "no_repetition") or name.startswith("max_")
