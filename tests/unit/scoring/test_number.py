"""The numbers of a text, and the score `number`."""

from __future__ import annotations

import math

import pytest

from harness.scoring.number import Number, numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("42", [42]),
        ("42.", [42]),
        ("It is 42, I think", [42]),
        ("1,000", [1000]),
        ("1,234,567.89", [1234567.89]),
        ("-2.5", [-2.5]),
        ("\u22122.5", [-2.5]),  # minus sign
        ("+7", [7]),
        ("$5", [5]),
        ("-$5", [-5]),
        ("$-5", [-5]),
        ("€1,000.50", [1000.5]),
        ("25%", [25]),
        ("90°", [90]),
        ("**8**", [8]),
        ("`8`", [8]),
        (".5", [0.5]),
        ("-.5", [-0.5]),
        ("3e8", [3e8]),
        ("1.5E-3", [0.0015]),
        ("1/2", [0.5]),
        ("10 - 3 = 7", [10, 3, 7]),
        ("5-3", [5, 3]),
        ("(3,4)", [3, 4]),
        ("2,3,5", [2, 3, 5]),
        ("2, 3, 5", [2, 3, 5]),
        ("x=-5", [-5]),
        ("2024-03-05", [2024, 3, 5]),
        (r"\boxed{42}", [42]),
        ("3 apples, then 7", [3, 7]),
        ("no digits", []),
        ("", []),
        ("B12 and 3rd", []),
        ("v1.2.3", []),
        ("٤٢", [42]),
        ("x²", []),
    ],
)
def test_numbers(text, found):
    assert numbers(text) == found


@pytest.mark.parametrize(
    ("text", "expected", "tolerance", "right"),
    [
        ("3 apples, then 7", "7", 0, True),
        ("3 apples, then 7", "3", 0, False),
        ("It is 1,000.", "1000", 0, True),
        ("It is 42.0", "42", 0, True),
        ("It is $5", "5", 0, True),
        ("It is $5", "$5", 0, True),
        ("no digits", "5", 0, False),
        ("3.14", "3.14159", 0, False),
        ("3.14", "3.14159", 0.01, True),
        ("5", "4", 1, True),
        ("0.30000000000000004", "0.3", 0, True),
        ("-3", "3", 0, False),
        ("1e400", "5", 1, False),
        ("0", "0.0", 0, True),
    ],
)
def test_the_last_number_counts(text, expected, tolerance, right):
    assert Number(tolerance=float(tolerance)).right(text, [expected]) is right


def test_any_of_several_answers_is_right():
    assert Number().right("12", ["11", "12"])


@pytest.mark.parametrize("expected", ["1,000", "-2.5", "42.", "$5", "50%", "5 apples", "five", "1/2"])
def test_one_number_may_be_expected(expected):
    assert Number().expected_problem(expected) is None


@pytest.mark.parametrize("expected", ["some", "1 or 2", "1e999", "2024-03-05", "1/0"])
def test_anything_else_may_not(expected):
    assert (
        Number().expected_problem(expected)
        == f"an answer under 'number' must be one number, saw {expected!r}"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the 1,234th of 2,000", [2000]), ("1,2nd", []), ("1.5th", []), ("1e5th", []), ("3-2nd", [3]), ("2nds", [2]),
        ("1,1,1", [1, 1, 1]), ("1,2345", [1.2345]), ("1,234,5", [1, 234, 5]), ("12,345,678", [12345678]), ("1,234th, 5", [5]),
        ("4th5", []), ("٣٤", [34]), ("9" * 400, [math.inf]),
    ],
)  # fmt: skip
def test_ordinals_are_no_numbers_and_commas_divide_thousands(text, found):
    assert numbers(text) == found


@pytest.mark.parametrize(
    ("final", "text", "right"),
    [
        ("auto", r"\boxed{7} of 9", True), ("boxed", r"\boxed{7} of 9", True), ("boxed", "7", False), ("last_number", r"\boxed{7} of 9", False),
        ("last_number", "9, no 7", True), ("after_answer", "The answer is 7, which is 3 more than 4.", True), ("after_answer", "7", False),
        ("after_answer", "Answer: 3 + 4 = 7", True), ("auto", "The answer is 7, which is 3 more than 4.", True),
        ("last_number", "The answer is 7, which is 3 more than 4.", False), ("after_answer", "#### 7", True),
    ],
)  # fmt: skip
def test_which_number_counts(final, text, right):
    assert Number(final=final).right(text, ["7"]) is right


@pytest.mark.parametrize(
    ("language", "text", "expected", "right"),
    [
        ("de", "2,500", "2,5", True), ("de", "2.500", "2500", True), ("en", "2,500", "2500", True), ("de", "Die Antwort ist zwölf.", "12", True),
        ("fr", "La réponse est : douze", "12", True), ("es", "La respuesta es 1.500", "1500", True),
    ],
)  # fmt: skip
def test_numbers_are_in_a_language(language, text, expected, right):
    assert Number(language=language).right(text, [expected]) is right


def test_a_percentage_is_a_fraction_too():
    assert Number().right("25%", ["25"])
    assert Number().right("25%", ["0.25"])
    assert not Number().right("25", ["0.25"])
