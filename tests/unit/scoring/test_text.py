"""contains, mentions, equals and regex."""

from __future__ import annotations

import pytest

from harness.scoring.text import Contains, Equals, Mentions, Regex, folded, normalised, pattern_problem


@pytest.mark.parametrize(
    ("text", "expected", "right"),
    [
        ("The capital is Paris.", "Paris", True),
        ("THE CAPITAL IS PARIS", "paris", True),
        ("Parisian", "Paris", True),
        ("Rome", "Paris", False),
        ("It is in New\n  York", "new york", True),
        ("die STRASSE", "Straße", True),
        ("ＰＡＲＩＳ", "Paris", True),  # full width
        ("It’s blue", "it's", True),
        ("cafe\u0301", "café", True),  # composed and decomposed
        ("cafe", "café", False),
        ("東京です", "東京", True),
        ("İstanbul", "istanbul", False),
        ("", "a", False),
    ],
)
def test_contains(text, expected, right):
    assert Contains().right(text, [expected]) is right


@pytest.mark.parametrize(
    ("text", "expected", "right"),
    [
        ("Art is long.", "art", True),
        ("the heart", "art", False),
        ("artful", "art", False),
        ("(art)", "art", True),
        ("art_deco", "art", False),
        ("état-major", "état", True),
        ("étatisme", "état", False),
        ("état", "tat", False),
        ("it costs $5.", "$5", True),
        ("it costs $50.", "$5", False),
        ("it is 15", "5", False),
        ("it is 5.", "5", True),
        ("C++ is old", "C++", True),
        ("South\nAmerica", "South America", True),
        ("О Москва!", "москва", True),
        ("", "a", False),
    ],
)
def test_mentions(text, expected, right):
    assert Mentions().right(text, [expected]) is right


@pytest.mark.parametrize(
    ("text", "expected", "right"),
    [
        ("Paris", "paris", True),
        ("  **Paris.** \n", "Paris", True),
        ('"Paris!"', "Paris", True),
        ("It is Paris", "Paris", False),
        ("New   York", "new york", True),
        ("A.B", "AB", False),
        ("...", "a", False),
        ("Ⅳ", "iv", True),
    ],
)
def test_equals(text, expected, right):
    assert Equals().right(text, [expected]) is right


@pytest.mark.parametrize(
    ("text", "expected", "right"),
    [
        ("on 2024-03-05", r"\d{4}-\d\d-\d\d", True),
        ("on 5 March", r"\d{4}", False),
        ("one\ntwo", "^two$", True),
        ("Paris", "paris", False),
        ("Paris", "(?i)paris", True),
        ("one\ntwo", "one.two", False),
    ],
)
def test_regex(text, expected, right):
    assert Regex().right(text, [expected]) is right


@pytest.mark.parametrize("kind", [Contains, Mentions, Equals, Regex])
def test_any_of_several_answers_is_right(kind):
    assert kind().right("four", ["4", "four"])
    assert not kind().right("five", ["4", "four"])


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("a+", None),
        ("(", "not a regular expression: missing ), unterminated subpattern at position 0"),
        ("a{99999999999}", "not a regular expression: the repetition number is too large"),
        ("a|", "this regular expression matches empty text, so it matches anything"),
        ("^", "this regular expression matches empty text, so it matches anything"),
        ("[[a]", "not a regular expression: Possible nested set at position 1"),
    ],
)
def test_pattern_problem(pattern, problem):
    assert pattern_problem(pattern) == problem


def test_folded_and_normalised():
    assert folded(" Ａ’B\t c ") == "a'b c"
    assert normalised(" (A’B,\t c!) ") == "a'b, c"
    assert normalised("?!") == ""
