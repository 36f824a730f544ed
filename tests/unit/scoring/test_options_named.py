"""The option that a reply settles on: before its reasons, after them, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.scoring.text import Mentions

PEOPLE = ["Ben", "Carl", "Anna"]
PLACES = ["box", "cup"]
TIMES = ["8:10", "9:10", "10:40"]

ANNA = [
    "Anna", "Anna.", "**Anna**", "- Anna", "ANNA", "anna", "Answer: Anna", "# Answer\nAnna", "So the answer is Anna!",
    "Anna is the tallest.", "Sure! The tallest is Anna.", "**Anna** is the tallest; Ben is shorter.",
    "Ben is taller than Carl and Anna is taller than Ben, so Anna is the tallest.",
    "Let's think. Ben > Carl. Anna > Ben.\n\nThe answer is Anna.", "Anna > Ben > Carl, so Anna.",
    "The answer is **Anna**, because Anna is taller than Ben.", "The answer is not Ben. It is Anna.",
    "Anna is the tallest of the three, followed by Ben and then Carl.", "Not Ben, but Anna.",
    "It is not Ben or Carl. It's Anna.", "Is it Ben? No, it is Anna.", "<think>Ben?</think>Anna",
    "Who is the tallest? Ben is taller than Carl. Anna is taller than Ben. Therefore, Anna is the tallest person.",
    "Anna is the tallest because she is taller than Ben, who is taller than Carl.", "Of Ben, Carl and Anna, the tallest is Anna.",
    "Since Anna is taller than Ben, and Ben is taller than Carl, Anna is the tallest.", "Anna is taller than both Ben and Carl.",
    "The tallest of Ben, Carl and Anna is Anna.", "Anna is taller than Ben and Carl, so she is the tallest.",
    "The tallest of the three is Anna. Ben is taller than Carl.", "\\boxed{Anna}", "Anna, then Ben, then Carl.",
    "Anna is the tallest, Ben is in the middle, and Carl is the shortest.", "Carl is the shortest, so Anna is the tallest.",
    "Ben, Carl are short. Anna is tall.", "Anna, because Ben is shorter.", "Anna is much taller than Ben or Carl.",
    "The order from the shortest is Carl, Ben, Anna. The tallest is Anna.", "Who: Ben, Carl or Anna? Anna.",
]  # fmt: skip
NOT_ANNA = [
    "Ben", "Anna or Ben", "Either Anna or Ben.", "Anna, Ben or Carl", "Carl, Ben, Anna", "Ben, Carl and Anna", "Anna / Ben / Carl",
    "Carl\nBen\nAnna", "1. Anna\n2. Ben\n3. Carl", "- Ben\n- Carl\n- Anna", "Not Anna", "It is not Anna.", "It isn't Anna.",
    "Anna is taller than Ben. Ben is taller than Carl. Who is the tallest?", "Ben is taller than Carl. Anna is taller than Ben.",
    "I'm sorry, I can't help.", "Nobody", "TOPIC: Anna taller | CLASS: Ben Carl | USE: Who", "DRUG: Anna\nCLASS: tall",
    "The answer is Ben. Anna is short.", "The answer is not Anna.", "The answer is Anna or Ben.", "Is it Anna?", "Annabel", "",
    "Carl is the tallest, Ben is in the middle, and Anna is the shortest.",
]  # fmt: skip
CUP = [
    "Cup.", "In the cup", "the cups", "The key is in the cup.", "The key is now in the cup, not in the box.",
    "It was in the box, but now it is in the cup.", "The key was in the box. Now it is in the cup.",
    "Mia took the key out of the box and put it into the cup. So the key is in the cup.", "The cup is heavier than the box.",
    "The key left the box and is now in the cup.",
]  # fmt: skip
NOT_CUP = [
    "box", "The key is in the box.", "Mia took the key out of the box and put it into the cup.", "cup or box", "not in the cup",
    "In the box or in the cup.", "The box is heavier than the cup.", "cup, box", "hiccup",
]  # fmt: skip
YES = [
    "Yes.",
    "Yes, it is.",
    "Yes, there is no doubt.",
    "Yes, no problem!",
    "Yes. There are no exceptions.",
    "The answer is yes.",
]
NO = [
    "No.",
    "No, it is not.",
    "No, there's no doubt that it is round.",
    "The answer is no.",
    "**No**",
    "No, no, no.",
]
LETTERS = ["A", "B", "C", "D"]
LETTER_A = [
    "A",
    "a)",
    "(A)",
    "A is right.",
    "Option A fits best.",
    "I take A because it is big.",
    "Answer: a",
    r"\boxed{A}",
]
LETTER_B = [
    "B", "B: a dog", "The answer is B) a dog.", "B is the only one that is a capital.", "A dog is an animal, so B.",
    "A. Sorry, B.", "It looks like A. Hold on, it is B.", "B. Actually, it cannot be C.", "B. Sorry for the long wait.",
    "A is big and C is small, as maps say.\n\n## Answer\n\nB",
]  # fmt: skip
NO_LETTER = ["It is a nice city.", "A nice city.", "The answer is a city.", "a dog and a cat", "SHEET: a dog"]
NEITHER = ["Yes and no.", "Yes or no?", "I can't say yes or no.", "There is no doubt about it."]


@pytest.mark.parametrize(
    ("reply", "among", "answer", "right"),
    [
        *((reply, ["yes", "no"], "yes", reply in YES) for reply in (*YES, *NO, *NEITHER)),
        *((reply, ["yes", "no"], "no", reply in NO) for reply in (*YES, *NO, *NEITHER)),
        *((reply, LETTERS, "A", reply in LETTER_A) for reply in (*LETTER_A, *LETTER_B, *NO_LETTER)),
        *((reply, LETTERS, "B", reply in LETTER_B) for reply in (*LETTER_A, *LETTER_B, *NO_LETTER)),
        *((reply, ["F", "I"], reply[0], True) for reply in ("F is a city.", "I. It is big.", "I")),
        ("I need a moment.", ["F", "I"], "I", False),
        ("Option I is correct.", ["F", "I"], "I", True),
        ("A is correct, B is wrong.", LETTERS, "A", True),
        ("No \U0001f642", ["yes", "no"], "no", True),
        ("no, yes is wrong.", ["yes", "no"], "yes", False),
        (
            "It is neutral, with a slightly negative tone.",
            ["positive", "negative", "neutral"],
            "neutral",
            True,
        ),
        ("A) Mars\nB) Venus \u2705\nC) Earth", LETTERS, "B", True),
        ("A) Mars \u2705\nB) Venus \u2705\nC) Earth", LETTERS, "B", False),
        ("\u2705 It can't be Ben.\nSo it is Anna.", PEOPLE, "Anna", True),
        ("It is Ben. Actually, it is Anna.", PEOPLE, "Anna", True),
        ("It is Anna. Hmm, actually it's Ben.", PEOPLE, "Anna", False),
        *((reply, PEOPLE, "Anna", True) for reply in ANNA),
        *((reply, PEOPLE, "Anna", False) for reply in NOT_ANNA),
        *((reply, PLACES, "cup", True) for reply in CUP),
        *((reply, PLACES, "cup", False) for reply in NOT_CUP),
        *((reply, TIMES, "9:10", True) for reply in ("9:10", "At 9:10.", "The first bus leaves at 9:10am.")),
        *((reply, TIMES, "9:10", False) for reply in ("8:10", "8:10, 9:10 and 10:40", "19:10")),
    ],
)
def test_what_a_reply_settles_on(reply, among, answer, right):
    assert Mentions(among=among).right(reply, [answer]) is right


@given(st.text(alphabet="Ben Anna.?,:|\n"))
def test_a_reply_settles_on_one_option_at_most(reply):
    found = [option for option in PEOPLE if Mentions(among=PEOPLE).right(reply, [option])]
    assert len(found) <= 1


@pytest.mark.parametrize(
    "piece", ["Anna ", "Anna, ", "? ", "A: ", "\n", "answer is ", "Anna or Ben ", "so ", ". Anna is", "("]
)
def test_a_reply_without_end_is_judged(piece):
    assert not Mentions(among=PEOPLE).right(piece * 20_000, ["Ben"])
