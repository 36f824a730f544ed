"""The options that a question lists."""

from __future__ import annotations

import pytest

from harness.authoring.options_listed import options


@pytest.mark.parametrize(
    ("question", "listed"),
    [
        ("Which of these three is the coldest: sun, fire or ice?", ("sun", "fire", "ice")),
        ("Which word does not belong: rose, tulip, hammer, daisy?", ("rose", "tulip", "hammer", "daisy")),
        ("Is a whale a fish or a mammal?", ("fish", "mammal")),
        ("Is it red or blue?", ("red", "blue")),
        ("Was it Anna, Ben or Carl?", ("Anna", "Ben", "Carl")),
        ("Pick one: A) red B) green C) dark blue", ("red", "green", "dark blue")),
        ("Pick one.\nA. red\nB. green", ("red", "green")),
        ("Welche ist kälter: Sonne oder Eis?", ("Sonne", "Eis")),
        ("What is the capital of France?", ()),
        ("Write a sentence: it should say that a long clause may or may not follow this one here.", ()),
    ],
)
def test_that_are_a_list(question, listed):
    assert options(question, things=False) == listed


@pytest.mark.parametrize(
    ("question", "things"),
    [
        ("Ben is taller than Carl. Anna is taller than Ben. Who is the tallest?", ("Ben", "Carl", "Anna")),
        ("The cup is left of the plate. Which thing is farthest?", ("cup", "plate")),
        ("Why?", ()),
    ],
)
def test_else_the_names_and_things(question, things):
    assert options(question) == things
    assert options(question, things=False) == ()


def test_a_text_to_read_has_none():
    assert options("Is it red or blue? " * 60) == ()
