"""What a text leaves open beside another candidate is no answer: more than a hundred replies, other languages, numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.normalise import figures
from harness.scoring.hedges import open_figures, without_open
from harness.scoring.number import Number
from harness.scoring.refusal import Refusal
from harness.scoring.text import Contains, Equals, Mentions

GROUPS: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("hedged_replies.yaml").read_text("utf-8")
)
CASES = [
    (str(reply), [str(answer) for answer in group["answer"]], kind == "settled")
    for group in GROUPS
    for kind in ("settled", "open")
    for reply in group[kind]
]


@pytest.mark.parametrize(("reply", "answers", "settled"), CASES)
def test_only_what_is_settled_counts(reply, answers, settled):
    assert Mentions().right(reply, answers) is settled


def test_there_are_enough_of_them():
    assert len(CASES) >= 100


@pytest.mark.parametrize(
    ("reply", "answer", "settled"), [case for case in CASES if case[1] == ["Paris"] and not case[2]]
)
def test_a_whole_answer_is_no_hedge(reply, answer, settled):
    assert Equals().right(reply, answer) is settled


@pytest.mark.parametrize(
    ("language", "reply", "right"),
    [
        ("de", "Paris oder Rom", False), ("de", "Entweder Paris oder Rom.", False), ("de", "Es ist Paris, vielleicht Rom.", False),
        ("de", "Paris oder so.", True), ("de", "Paris oder Rom? Es ist Paris.", True),
        ("fr", "Paris ou Rome", False), ("fr", "Soit Paris, soit Rome.", False), ("fr", "C'est Paris ou peut-être Rome.", False),
        ("fr", "Paris ou plus exactement son centre", True), ("fr", "C'est Paris.", True),
        ("es", "Paris o Roma", False), ("es", "Es Paris o quizás Roma.", False), ("es", "O Paris o Roma", False),
        ("es", "Paris o algo así", True), ("es", "Es Paris.", True),
        ("it", "Paris o Roma", False), ("it", "È Paris oppure Roma.", False), ("it", "O Paris o Roma.", False),
        ("it", "Paris o qualcosa del genere", True), ("it", "È Paris.", True),
        ("pt", "Paris ou Roma", False), ("pt", "Ou Paris ou Roma.", False), ("pt", "É Paris, talvez Roma.", False),
        ("pt", "Paris ou mais exatamente o centro", True), ("pt", "É Paris.", True),
        ("nl", "Parijs of Rome", False), ("nl", "Het is Parijs of misschien Rome.", False), ("nl", "Of Parijs of Rome.", False),
        ("nl", "Parijs of zoiets", True), ("nl", "Het is Parijs.", True),
        ("ja", "Paris or Rome", True),  # not a language whose words are known
    ],
)  # fmt: skip
def test_in_other_languages(language, reply, right):
    assert Mentions(language=language).right(reply, ["Paris", "Parijs"]) is right


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("7 or 8", False), ("8 or 7", False), ("5, 6 or 7", False), ("7, 8 or 9", False), ("It is 7 or maybe 8.", False),
        ("7, maybe 8", False), ("It is either 7 or 8.", False), ("The answer is 7 or 8.", False), ("**7** or **8**", False),
        ("seven or eight", False), ("7? No, 8.", False), ("8? No, 7.", True), ("7 or seven", True), ("7 or so", True),
        ("It is 7.", True), ("Two or three steps. The answer is 7.", True), ("7 and 8 make 15, so 7.", True),
    ],
)  # fmt: skip
def test_numbers(reply, right):
    assert Number().right(reply, ["7"]) is right


@pytest.mark.parametrize(
    ("text", "language", "out"),
    [
        ("5 or 6", "en", {0, 1}),
        ("4, 5 or 6", "en", {0, 1, 2}),
        ("4 and 5", "en", set()),
        ("5 or five", "en", set()),
        ("5 oder 6", "de", {0, 1}),
        ("5 or 6", "ja", set()),
    ],
)
def test_which_figures_are_left_open(text, language, out):
    assert open_figures(text, figures(text, language), language) == out


def test_an_author_may_count_what_is_left_open():
    assert Mentions(hedged=True).right("Paris or Rome", ["Paris"])
    assert Contains().right("Paris or Rome", ["Paris"])
    assert Refusal(expected=False).right("You can use a scarecrow or a net in the field.", ["scarecrow"])


def test_why_it_is_wrong():
    assert Mentions().why("Paris or Rome", ["Paris"]) == "it mentions a right answer, and leaves it open"
    assert Mentions().why("Rome", ["Paris"]) is None


def test_the_rest_of_the_text_stays():
    assert without_open("Well: it is Paris or Rome, but why?", ["Paris"]) == "Well: it is  , but why?"
    assert without_open("Paris or Rome", ["Oslo"]) == "Paris or Rome"


@pytest.mark.parametrize(
    "text",
    [
        " " * 100_000 + "or", "a or " * 25_000, "a, " * 40_000 + "or b", "is " * 40_000, "maybe, " * 20_000, "a/b" * 40_000, "? no, " * 20_000,
        "or" * 50_000, "Paris or " * 20_000, "\u2026or " * 20_000, "(" * 100_000, "x " * 60_000 + "? No, y",
    ],
)  # fmt: skip
def test_hostile_texts_end(text):
    assert Mentions().right(text, ["nothing of it"]) is False
    assert Number().right(text, ["17"]) is False
