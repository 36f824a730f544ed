"""What can make a valid suite a weak gate, by the names that `lint_ignore` takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

MustBeWrong = Literal[
    "echo", "passage", "system_prompt", "empty", "refusal", "options", "other_answer",
    "near_number", "counting", "denied", "hedged", "shuffled", "narrow", "one_word",
]  # fmt: skip
"""Replies that no score may judge right."""

MustBeRight = Literal[
    "alone", "in_sentence", "bold", "list_item", "upper_case", "lower_case", "after_reasoning", "after_thinking",
    "after_opening", "before_reasons", "quoted",
]  # fmt: skip
"""Ways to write a right answer that no score may judge wrong."""

OfProbes = Literal[
    "given_away", "near_duplicate", "one_letter", "only_forbids", "shot", "number_in_question", "short_limit"
]
OfSuites = Literal["position", "length", "repeated_id", "size"]

Weakness = MustBeWrong | MustBeRight | Literal["wording"] | OfProbes | OfSuites

MEANINGS: Mapping[Weakness, str] = {
    "echo": "the question, repeated",
    "passage": "the end of the passage",
    "system_prompt": "the system prompt, repeated",
    "empty": "an empty reply",
    "refusal": "a refusal",
    "options": "all options of the question",
    "other_answer": "the answer of another probe",
    "near_number": "another number with the same digits",
    "counting": "a count that goes past the answer",
    "denied": "a denial of the answer",
    "hedged": "the right answer or another",
    "shuffled": "the right words in the wrong order",
    "narrow": "a data sheet of the question's words",
    "one_word": "one word, again and again",
    "alone": "the answer alone",
    "in_sentence": "the answer in a sentence",
    "bold": "the answer in bold",
    "list_item": "the answer as a list item",
    "upper_case": "the answer in capital letters",
    "lower_case": "the answer in small letters",
    "after_reasoning": "the answer after a sentence that reasons",
    "after_thinking": "the answer after a block of reasoning",
    "after_opening": 'the answer after "Sure! Here is the answer:"',
    "before_reasons": "the answer before its reasons",
    "quoted": "the answer in quotation marks",
    "wording": "all of the answers above, but for the answer alone",
    "given_away": "the question holds its answer",
    "near_duplicate": "two probes ask nearly the same",
    "one_letter": "an answer of one letter or an everyday word, which stands in most replies",
    "only_forbids": "a check that nearly any reply passes",
    "shot": "a few-shot example answers a probe",
    "number_in_question": "the number that is looked for is part of the question",
    "short_limit": "`max_new_tokens` cuts the answer in a sentence",
    "position": "the right choice stands too often at one place",
    "length": "the right choice is too often the longest or the shortest",
    "repeated_id": "suites that are linted together share ids",
    "size": "what the number of probes keeps a gate from showing",
}
"""Each weakness in a few words: those of the battery name a reply."""

MUST_BE_WRONG: tuple[MustBeWrong, ...] = get_args(MustBeWrong)
MUST_BE_RIGHT: tuple[MustBeRight, ...] = get_args(MustBeRight)
WORDING = frozenset(MUST_BE_RIGHT) - {"alone"}


def reason(ignored: Mapping[Weakness, str], kind: Weakness) -> str | None:
    """Why a weakness is none, by `lint_ignore`; None if it does not say."""
    return ignored.get(kind) or (ignored.get("wording") if kind in WORDING else None)
