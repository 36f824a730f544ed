"""A value in, the text that a person would write for it out: the one place where numbers become text.

A number of a JSON or YAML file is the text that its author wrote, `1.50` or `1e5`. A number without a text of its own
(from Parquet, from a data set, computed) is the shortest text that means it, without an exponent and without `.0`:
0.00001, 1234567890123. What is no answer to anything (null, NaN, infinity, half a character) has no text.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from harness.limits import MOST_DIGITS

HALF = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair, which is no character."""


class WrittenInt(int):
    """A whole number that knows how it was written."""

    text: str

    def __str__(self) -> str:
        return self.text


class WrittenFloat(float):
    """A number that knows how it was written."""

    text: str

    def __str__(self) -> str:
        return self.text


def whole_as_written(text: str, value: int | None = None) -> WrittenInt:
    """A whole number from its text; raises ValueError for none, and for one that is too long to be meant."""
    if len(text) > MOST_DIGITS:
        raise ValueError(f"a number of {len(text)} digits, which are more than {MOST_DIGITS}")
    number = WrittenInt(text if value is None else value)
    number.text = text
    return number


def number_as_written(text: str, value: float | None = None) -> WrittenFloat:
    """A number from its text; raises ValueError for none."""
    number = WrittenFloat(text if value is None else value)
    number.text = text
    return number


def text_of(value: Any) -> Any:
    """The text of a number, a boolean, a date or a time; a text as it is; a list of any of them item by item.

    A time of day that is midnight is left out, as data frames add one to every date. Mappings stay as they are.

    Raises:
        ValueError: there is no text for it: null, NaN, infinity, half a surrogate pair, bytes.
    """
    match value:
        case WrittenInt() | WrittenFloat():
            return value.text
        case bool():
            return str(value).lower()
        case str():
            return whole_text(value)
        case float():
            return positional(value)
        case int() | date() | time() if not isinstance(value, datetime):
            return str(value)
        case datetime():
            return str(value.date() if value.time() == time() and value.tzinfo is None else value)
        case Decimal() if value.is_finite():
            return format(value, "f")
        case list() | tuple():
            return [text_of(item) for item in value]
        case dict():
            return value
        case None:
            raise ValueError("null, which is no text")
    name = str(value) if isinstance(value, Decimal) else f"a value of type {type(value).__name__}"
    raise ValueError(f"{name}, which is no text")


def whole_text(text: str) -> str:
    """The text itself; raises ValueError for one with half a surrogate pair, which nothing can show or encode."""
    if found := HALF.search(text):
        raise ValueError(f"half a surrogate pair (\\u{ord(found[0]):04x}), which is no character")
    return text


def without_noise(value: float) -> float:
    """A number that was computed, without the noise of its last digits: 0.1 + 0.2 is 0.3."""
    if not math.isfinite(value):
        return value
    return round(value, 6) if abs(value) >= 1e6 else float(f"{value:.12g}")


def positional(value: float) -> str:
    """The shortest decimal text that is read back as `value`, without an exponent and without `.0`.

    Raises ValueError for NaN and infinity.
    """
    if not math.isfinite(value):
        name = "NaN" if math.isnan(value) else "infinity"
        raise ValueError(f"{name}, which is no number")
    return re.sub(r"\.0$", "", format(Decimal(repr(float(value) + 0.0)), "f"))  # + 0.0: never "-0"
