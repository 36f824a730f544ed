"""Probes that ask the same: found among many without comparing each with each, and nothing found that is not one."""

from __future__ import annotations

import time
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.authoring.near_duplicates import Alike, Asked, _like, _text, alike, like_any
from harness.scoring.check import Check
from harness.scoring.text import Mentions

SCORER = Mentions()


def ask(text: str, answer: str = "x", **fields: str) -> Asked:
    return Asked({"question": text, **fields}, (answer,), SCORER)


def near(*asked: Asked) -> list[tuple[int, int]]:
    return [(pair.first, pair.second) for pair in alike(asked)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is the capital of France?", "What's the capital of France"),
        ("What is the capital of France?", "Which is France's capital?"),
        (
            "Name the longest river of South America.",
            "What is the name of the longest river in South America?",
        ),
        ("日本の首都はどこですか", "日本の首都はどこですか？"),
    ],
)
def test_alike(one, other):
    assert near(ask(one), ask(other)) == [(0, 1)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is the capital of France?", "What is the capital of Japan?"),
        (
            "Write exactly 12 words about the sea and its ships.",
            "Write exactly 14 words about the sea and its ships.",
        ),
        ("What is 5 - 3?", "What is 3 - 5?"),
        ("What is 3 + 5?", "What is 3 + 5 + 5?"),
        ("Who painted the Mona Lisa?", "Who wrote Hamlet?"),
    ],
)
def test_not_alike(one, other):
    assert near(ask(one), ask(other)) == []


def test_what_is_right_tells_questions_apart():
    short, long = Check.model_validate({"max_words": 3}), Check.model_validate({"min_words": 30})
    question, same = "Describe the sea at night, please.", "Please describe the sea at night"
    assert near(ask(question, "a"), ask(same, "b")) == []
    assert near(ask(question, "a"), ask(same, "A")) == [(0, 1)]
    assert near(Asked({"q": question}, (), short), Asked({"q": same}, (), short)) == [(0, 1)]
    assert near(Asked({"q": question}, (), short), Asked({"q": same}, (), long)) == []


def test_the_same_words_are_the_same_whatever_is_right():
    assert list(alike([ask("Why?", "a"), ask("who?", "b"), ask("WHY", "c")])) == [
        Alike(0, 2, same_words=True)
    ]


def test_every_field_counts():
    text = (
        "The mill stands by the river, and the road to the village goes over a narrow bridge of stone. " * 2
    )
    assert (
        near(ask("Where is the mill?", passage=text), ask("What is the bridge made of?", passage=text)) == []
    )
    assert near(ask("Where is the mill?", passage=text), ask("Where is this mill", passage=text + "So.")) == [
        (0, 1)
    ]


def test_long_texts_of_the_same_words_in_another_order_differ():
    words = [f"{a}{b}" for a in "klmn" for b in "abcdefgh"]
    assert near(ask(" ".join(words)), ask(" ".join(sorted(words, key=lambda word: word[::-1])))) == []


def test_each_is_told_once_with_the_first_of_its_likes():
    assert near(ask("big red dogs"), ask("red big dogs"), ask("dogs, big, red")) == [(0, 1), (0, 2)]


WORDS = st.lists(
    st.sampled_from(["sea", "mill", "road", "dog", "red", "big", "the", "of", "7", "9"]),
    min_size=1,
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS.map(" ".join), min_size=2, max_size=12, unique=True))
def test_none_is_missed_that_comparing_each_with_each_would_find(texts):
    asked = [ask(text) for text in texts]
    brute = {
        second
        for first, second in combinations(range(len(asked)), 2)
        if _like({"q": _text(texts[first])}, {"q": _text(texts[second])})
    }
    assert {pair.second for pair in alike(asked)} == brute


def test_many_are_no_matter():
    asked = [ask(f"What is the capital of land{i} in region{i % 7}?", f"town{i}") for i in range(5000)]
    began = time.process_time()
    assert near(*asked) == []
    assert time.process_time() - began < 5


def test_many_that_differ_by_little_are_no_matter():
    asked = [
        ask(f"What is number {i} in this long list of things, my friend, as is written here?")
        for i in range(8000)
    ]
    assert near(*asked) == []
    asked = [
        ask(f"Which shop by the river in our old town sells the best bread named loaf{i}?", f"shop{i}")
        for i in range(8000)
    ]
    assert near(*asked) == []


def test_those_of_a_known_example():
    known = [{"question": "Who wrote Hamlet?"}, {"question": "What is the capital of France?"}]
    asked = [
        {"question": "Who wrote Faust?"},
        {"question": "Which is France's capital?"},
        {"text": "Who wrote Hamlet?"},
    ]
    assert like_any(known, asked) == {1: 1}
    assert like_any([], asked) == {}
