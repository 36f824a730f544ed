from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from harness.documents.written import (
    WrittenFloat,
    number_as_written,
    positional,
    text_of,
    whole_as_written,
    without_noise,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00001, "0.00001"), (1e-7, "0.0000001"), (1234567890123.0, "1234567890123"), (1e22, "1" + "0" * 22),
        (12345678901234.5, "12345678901234.5"), (1850.0, "1850"), (-0.0, "0"), (0.1, "0.1"), (-2.5, "-2.5"),
        (7, "7"), (10**30, "1" + "0" * 30), (True, "true"), ("as it is", "as it is"), ("1e5", "1e5"),
        (Decimal("1.50"), "1.50"), (Decimal("1E-7"), "0.0000001"), (Decimal("1E+3"), "1000"),
        (date(2024, 5, 1), "2024-05-01"), (datetime(2024, 5, 1), "2024-05-01"), (time(3, 4), "03:04:00"),
        (datetime(2024, 5, 1, 3), "2024-05-01 03:00:00"),
        (datetime(2024, 5, 1, tzinfo=UTC), "2024-05-01 00:00:00+00:00"),
        ([1.0, ["x", True]], ["1", ["x", "true"]]), (("a", 2.0), ["a", "2"]), ({"a": 1.0}, {"a": 1.0}),
        (number_as_written("1.50"), "1.50"), (number_as_written("1E400"), "1E400"), (whole_as_written("-0"), "-0"),
    ],
)  # fmt: skip
def test_the_text_that_a_person_would_write(value, text):
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "null, which is not text"), (math.nan, "NaN, which is not a number"), (-math.inf, "infinity, which is not a number"),
        (Decimal("NaN"), "NaN, which is not text"), (b"x", "a value of type bytes, which is not text"),
        (timedelta(1), "a value of type timedelta, which is not text"), (["x", None], "null, which is not text"),
        ([[math.nan]], "NaN, which is not a number"), ("a \ud83d", r"half a surrogate pair (\ud83d), which is not a character"),
        (["\udc00"], r"half a surrogate pair (\udc00), which is not a character"),
    ],
)  # fmt: skip
def test_what_has_no_text(value, reason):
    with pytest.raises(ValueError) as caught:
        text_of(value)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    "value", [0.1, 1 / 3, 1e-300, 1.7976931348623157e308, 5e-324, 2**53 + 2.0, 123456.789]
)
def test_a_positional_text_is_read_back_as_the_number(value):
    assert float(positional(value)) == value
    assert "e" not in positional(value)


@pytest.mark.parametrize(
    ("computed", "meant"),
    [(0.1 + 0.2, 0.3), (1.1 * 3, 3.3), (1234567890123.0 + 0, 1234567890123.0), (3 * 1000000.1, 3000000.3), (math.inf, math.inf)],
)  # fmt: skip
def test_the_noise_of_computing_is_left_out(computed, meant):
    assert without_noise(computed) == meant


def test_a_number_as_written_is_a_number_too():
    number = number_as_written("1.50")
    assert number * 2 == 3
    assert isinstance(number, WrittenFloat)
    assert f"{number} {number!s}" == "1.50 1.50"
    assert whole_as_written("0x1F", 31) + 1 == 32


def test_a_whole_number_too_long_to_be_meant():
    with pytest.raises(ValueError, match="a number of 500 digits, more than 400"):
        whole_as_written("1" * 500)
