"""A value in, the text that a person would write for it out: the one place where numbers become text.

The text of a number in a JSON or YAML file is what its author wrote, `1.50` or `1e5`. A number without a text of its own
(from Parquet, from a data set, computed) becomes the shortest decimal text with that value, without an exponent and without
`.0`: 0.00001, 1234567890123. Values that cannot answer a question (null, NaN, infinity, half a character) have no text.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from harness.limits import MOST_DIGITS

HALF = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair, which is not a character."""


class _Written:
    text: str

    def __str__(self) -> str:
        return self.text


class WrittenInt(_Written, int):
    """A whole number that knows how it was written."""


class WrittenFloat(_Written, float):
    """A number that knows how it was written."""


def whole_as_written(text: str, value: int | None = None) -> WrittenInt:
    """A whole number and its text; raises ValueError for text that is not one, or too long to be meant.

    Args:
        value: the number, where the text is in another notation than Python's.
    """
    if len(text) > MOST_DIGITS:
        raise ValueError(f"a number of {len(text)} digits, more than {MOST_DIGITS}")
    number = WrittenInt(text if value is None else value)
    number.text = text
    return number


def number_as_written(text: str, value: float | None = None) -> WrittenFloat:
    """A number and its text, as `whole_as_written`, of any length; raises ValueError for text that is not one."""
    number = WrittenFloat(text if value is None else value)
    number.text = text
    return number


def text_of(value: Any) -> Any:
    """The text of a number, a boolean, a date or a time; a text as it is; a list of any of them item by item.

    The time of a `datetime` at midnight is left out, as data frames add one to every date. Mappings stay as they are.

    Raises:
        ValueError: the value has no text: null, NaN, infinity, half a surrogate pair, bytes.
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
            raise ValueError("null, which is not text")
    name = str(value) if isinstance(value, Decimal) else f"a value of type {type(value).__name__}"
    raise ValueError(f"{name}, which is not text")


def whole_text(text: str) -> str:
    """The text itself; raises ValueError if it has half a surrogate pair, which cannot be shown or encoded."""
    if found := HALF.search(text):
        raise ValueError(f"half a surrogate pair (\\u{ord(found[0]):04x}), which is not a character")
    return text


def without_noise(value: float) -> float:
    """A computed number without the rounding noise of its last digits: 0.1 + 0.2 is 0.3."""
    if not math.isfinite(value):
        return value
    return round(value, 6) if abs(value) >= 1e6 else float(f"{value:.12g}")


def positional(value: float) -> str:
    """The shortest decimal text that reads back as `value`, without an exponent and without `.0`.

    Raises ValueError for NaN and infinity.
    """
    if not math.isfinite(value):
        name = "NaN" if math.isnan(value) else "infinity"
        raise ValueError(f"{name}, which is not a number")
    return re.sub(r"\.0$", "", format(Decimal(repr(float(value) + 0.0)), "f"))  # + 0.0: never "-0"
