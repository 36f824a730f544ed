"""What a text denies is no answer: more than a hundred sentences, and options of `mentions`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.scoring.negation import DENIALS, without_denied
from harness.scoring.number import Number
from harness.scoring.text import Mentions


def table(name: str) -> list[tuple[str, str, str, bool]]:
    """The language, the reply, the answer and whether the reply asserts it."""
    groups: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name(name).read_text("utf-8"))
    return [
        (group.get("language", "en"), reply, group["answer"], kind == "asserted")
        for group in groups
        for kind in ("asserted", "denied")
        for reply in group[kind]
    ]


CASES = table("denied_replies.yaml")
IN_LANGUAGES = table("denied_in_languages.yaml")


@pytest.mark.parametrize(("language", "reply", "answer", "asserted"), [*CASES, *IN_LANGUAGES])
def test_only_what_is_asserted_counts(language, reply, answer, asserted):
    assert Mentions(language=language).right(reply, [answer]) is asserted


def test_there_are_enough_of_them():
    assert len(CASES) >= 100
    assert {language for language, *_ in IN_LANGUAGES} == set(DENIALS)


@pytest.mark.parametrize(
    ("language", "reply", "right"),
    [
        ("de", "Es ist nicht 5, sondern 7.", True), ("de", "Es ist nicht 7.", False),
        ("fr", "Ce n'est pas 5 mais 7.", True), ("fr", "Ce n'est pas 7.", False),
        ("nl", "Het is niet 7, het is 5.", False), ("it", "Non è 5, è 7.", True),
    ],
)  # fmt: skip
def test_a_number_that_is_denied_does_not_count(language, reply, right):
    assert Number(language=language).right(reply, ["7"]) is right


@pytest.mark.parametrize("language", DENIALS)
def test_hostile_texts_end(language):
    for word in (
        "nicht ",
        "no ",
        "non, ",
        "not a ",
        "niet of ",
        "? nee, ",
        "pas l'",
        "kein" * 3,
        " ",
        "x? ",
        "\n",
        "\n ",
    ):
        text = word * (100_000 // len(word))
        assert isinstance(without_denied(text, language), str)


@pytest.mark.parametrize("reply", ["It is not Paris.", "Rome instead of Paris"])
def test_an_author_may_count_what_is_denied(reply):
    assert not Mentions().right(reply, ["Paris"])
    assert Mentions(denied=True).right(reply, ["Paris"])
    assert Mentions(language="sv").right(reply, ["Paris"])


def test_an_answer_that_is_a_denial_is_found_whole():
    assert Mentions().right("The verdict: not guilty.", ["not guilty"])
    assert not Mentions().right("The verdict: guilty.", ["not guilty"])


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("It is not the capital city Paris", "It is not"),
        ("It is not one two three four", "It is not four"),
        ("not only Paris", "not only Paris"),
        ("do not touch the stove", "do not touch the stove"),
        ("nothing", "nothing"),
        ("", ""),
    ],
)
def test_a_denial_covers_up_to_three_words(text, kept):
    assert without_denied(text) == kept
