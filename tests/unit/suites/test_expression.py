from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.suites.expression import evaluate, fill

VALUES = {"a": 7, "b": 2, "word": "red"}


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{a + b} apples", "9 apples"),
        ("{a}", 7),
        ("{a / b}", 3.5),
        ("it is {a / b}", "it is 3.5"),
        ("it is {0.1 + 0.2}", "it is 0.3"),
        ("{a // b} {a % b} {-a}", "3 1 -7"),
        ("{max(a, b) * (b + 1)}", 21),
        ("{title(word)} {upper(word)} {len(word)}", "Red RED 3"),
        ("{word * 2}", "redred"),
        ("{{a}} is {a}", "{a} is 7"),
        ("nothing", "nothing"),
    ],
)
def test_templates_are_filled(template, filled):
    assert fill(template, VALUES) == filled


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("c", "unknown name 'c'; there are: a, b, word"),
        ("a +", "is not an expression"),
        ("a / 0", "cannot be computed: division by zero"),
        ("__import__('os')", "is not allowed"),
        ("word.upper()", "is not allowed"),
        ("[a]", "is not allowed"),
        ("a ** b", "is not allowed"),
        ("lambda: 1", "is not allowed"),
        ("word + 1", "cannot be computed"),
        ("word % a", "'%' is for numbers"),
        ("word * 1000000", "a text may have at most 2,000,000 characters, saw 3,000,000"),
        ("True", "is not allowed"),
        ("max(a, key=b)", "is not allowed"),
    ],
)
def test_nothing_but_arithmetic_is_computed(expression, message):
    with pytest.raises(ValueError, match="(?s).*") as raised:
        evaluate(expression, VALUES)
    assert message in str(raised.value)


@pytest.mark.parametrize("template", ["{a", "a}", "{{a}", "} {"])
def test_a_brace_that_stands_alone_is_said(template):
    with pytest.raises(ValueError, match="single '.'|not an expression"):
        fill(template, VALUES)


@given(st.text(max_size=40))
def test_any_text_is_filled_or_refused(text):
    try:
        fill(text, VALUES)
    except ValueError:
        pass


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1" + " + 1" * 300, "an expression may have at most 1,000 characters, saw 1,201"),
        ("word * 999999999999", "at most 2,000,000 characters"),
        ("999999999999 * word", "at most 2,000,000 characters"),
        ("long + long", "a text may have at most 2,000,000 characters, saw 2,000,002"),
        ("big * big", "a number of more than 400 digits"),
        ("-big * big", "a number of more than 400 digits"),
        ("round(a, -999999999)", "'round' takes at most 400 places, saw -999999999"),
        ("round(1.5, 999999999)", "'round' takes at most 400 places, saw 999999999"),
        ("(" * 400 + "a" + ")" * 400, "is not an expression"),
        ("-" * 999 + "a", "cannot be computed"),
    ],
    ids=range(10),
)
def test_what_an_expression_makes_is_bounded(expression, message):
    values = {**VALUES, "long": "x" * 1_000_001, "big": 10**300}
    with pytest.raises(ValueError, match=re.escape(message)):
        evaluate(expression, values)


def test_what_a_template_makes_is_bounded():
    values = {"long": "x" * 1_000_000}
    assert len(fill("{long}{long}", values)) == 2_000_000
    with pytest.raises(ValueError, match="a text may have at most 2,000,000 characters, saw 3,000,000"):
        fill("{long}{long}{long}", values)


def test_numbers_round_as_before():
    assert evaluate("round(7 / 2)", {}) == 4
    assert evaluate("round(2.375, 2)", {}) == 2.38
    assert evaluate("round(1250, -2)", {}) == 1200
