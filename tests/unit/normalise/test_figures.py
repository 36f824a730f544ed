"""The numbers of a text: in digits, in words, with units, by language; and what is none."""

from __future__ import annotations

import math
from itertools import product

import pytest

from harness.normalise import figures, plain
from harness.normalise.figures import enumerated, only_figure


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2,5", [2.5]), ("2,500", [2500]), ("1.000", [1]), ("1.234,5", [1234.5]), ("1,234.5", [1234.5]), ("0,500", [0.5]), ("1'000", [1000]),
        ("1 000 000", [1e6]), ("1 00", [1, 0]), ("5 100 m", [5100]), ("100 200 300", [100, 200, 300]), ("150 000", [150000]),
        ("1.234.567", [1234567]), ("1,00,000", [100000]), ("12k", [12000]), ("12 km", [12]), ("3 × 10^8", [3e8]), ("10^3", [1000]),
        ("2^0.5", []), ("1/4", [0.25]), ("2 1/2", [2.5]), ("1/0", []), ("5/6/2024", [5, 6, 2024]), ("24m²", [24]), ("9:10am", []), ("1:2", []),
        ("USD5 pH7 B12 A4", [5, 7]), ("5x7=35", [5, 7, 35]), ("a1b2", []), ("24h30", []), ("第5章 2024年", [5, 2024]), ("50 %", [50]),
        ("1.1e2", [110]), ("1e999", [math.inf]), ("9" * 400 + "e5", [math.inf]), ("9" * 400 + " 1/2", [math.inf, 0.5]), ("1e-999", [0]),
        ("0^5", [0]), ("0^-5", []), ("0^0", [1]), ("[3,-4]", [3, -4]), ("x = 2,-3", [2, -3]), ("1.-2", [1, -2]), ("15\n-4\n--\n11", [15, -4, 11]),
        ("11K 11M 11bn 11 m", [11e3, 11e6, 11e9, 11]), ("1 / 2", [0.5]), ("8 / 2 = 4", [8, 2, 4]), ("2 and a half", [2.5]),
    ],
)  # fmt: skip
def test_digits(text, found):
    assert [figure.value for figure in figures(plain(text))] == pytest.approx(found)


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("en", "twenty-four", [24]), ("en", "three hundred and forty-two", [342]), ("en", "12 thousand", [12000]), ("en", "1.5 million", [1.5e6]),
        ("en", "nineteen forty-five", [1945]), ("en", "minus four", [-4]), ("en", "ten minus four", [10, 4]), ("en", "two point five", [2.5]),
        ("en", "a hundred", [100]), ("en", "hundreds of them", []), ("en", "one of them", []), ("en", "the third one", []),
        ("en", "two and a half", [2.5]), ("en", "eleven-and-a-half", [11.5]), ("en", "three quarters", [0.75]), ("en", "two thirds of 6", [2 / 3, 6]),
        ("en", "two and three quarters", [2.75]), ("en", "four quarters", [4]), ("en", "3 quarters", [3]), ("en", "eleven \ud83d.", [11]),
        ("es", "dos y medio", [2.5]), ("fr", "onze et demi", [11.5]),
        ("en", "There is only one.", [1]), ("en", "the second", []), ("en", "O negative", []), ("en", "five, six", [5, 6]),
        ("de", "vierundzwanzig", [24]), ("de", "2.500", [2500]), ("de", "2,500", [2.5]), ("de", "1,5 Millionen", [1.5e6]), ("de", "ein Hund", []),
        ("de", "zwei", [2]), ("fr", "quatre-vingt-dix", [90]), ("fr", "un chien", []), ("es", "veintiséis", [26]), ("es", "menos cuatro", [-4]),
        ("it", "ventisei", [26]), ("pt", "trinta e dois", [32]), ("nl", "vierentwintig", [24]), ("ja", "2,500", [2500]), ("xx", "twenty", []),
    ],
)  # fmt: skip
def test_words_and_languages(language, text, found):
    assert [figure.value for figure in figures(text, language)] == pytest.approx(found)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$5", 5),
        ("5.", 5),
        ("-5", -5),
        ("25%", 25),
        ("a hundred", 100),
        ("5 apples", None),
        ("5 6", None),
        ("", None),
    ],
)
def test_a_text_that_is_a_number(text, value):
    figure = only_figure(text)
    assert (figure and figure.value) == value


@pytest.mark.parametrize(
    ("text", "listed"),
    [("1, 2, 3, 4, 5, 6", {0, 1, 2, 3, 4}), ("1 2 3 4 5", set()), ("1 and 2", set()), ("1 + 2 + 3 + 4 + 5 + 6", set()),
     ("1 x 2 x 3 x 4 x 5 x 6 x 7 x 8 x 9 x 10", set(range(9))), ("1 + 1 = 2\n2 + 2 = 4\n3 + 3 = 6\n4 + 4 = 8\n5 + 5 = 10", set()),
     (" ".join(f"In all there were {n} of them." for n in range(12)), set()), ("1\n2\n3\n4\n5\n6 7", {0, 1, 2, 3, 4, 5})],
)  # fmt: skip
def test_what_is_only_listed(text, listed):
    assert enumerated(text, figures(text)) == listed


def test_no_row_of_digits_and_marks_breaks_it():
    for row in product("12.,-:/^'", repeat=5):
        assert all(map(math.isfinite, (figure.value for figure in figures("".join(row)))))
