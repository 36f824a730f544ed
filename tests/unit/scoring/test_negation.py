"""What a text denies is no answer: more than a hundred sentences, and options of `mentions`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.scoring.negation import without_denied
from harness.scoring.text import Mentions

GROUPS: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("denied_replies.yaml").read_text("utf-8")
)
CASES = [
    (reply, group["answer"], kind == "asserted")
    for group in GROUPS
    for kind in ("asserted", "denied")
    for reply in group[kind]
]


@pytest.mark.parametrize(("reply", "answer", "asserted"), CASES)
def test_only_what_is_asserted_counts(reply, answer, asserted):
    assert Mentions().right(reply, [answer]) is asserted


def test_there_are_enough_of_them():
    assert len(CASES) >= 100


@pytest.mark.parametrize("reply", ["It is not Paris.", "Rome instead of Paris"])
def test_an_author_may_count_what_is_denied(reply):
    assert not Mentions().right(reply, ["Paris"])
    assert Mentions(denied=True).right(reply, ["Paris"])
    assert Mentions(language="fr").right(reply, ["Paris"])


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
