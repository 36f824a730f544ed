from __future__ import annotations

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
        ("word * 1000000", "a text of 3,000,000 characters is more than 2,000,000"),
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
