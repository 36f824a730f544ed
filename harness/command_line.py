"""Types for argparse, whose errors say what was expected and what was seen."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from typing import Literal

from harness.errors import did_you_mean
from harness.limits import MOST_SEED


class OneOf:
    """One of some names."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def __call__(self, value: str) -> str:
        if value in self.names:
            return value
        near = did_you_mean(value, self.names)
        raise ArgumentTypeError(
            f"must be one of {', '.join(self.names)}, saw {value!r}" + (f"; {near}" if near else "")
        )


def text(value: str) -> str:
    """Any text but an empty one, which is most often an unset variable of the shell."""
    if not value.strip():
        raise ArgumentTypeError("must not be empty")
    return value


def file_or_folder(value: str) -> Path:
    """A path; an empty one would be the working folder."""
    return Path(text(value))


def whole(value: str) -> int:
    """A whole number, including 0."""
    if not value.isdecimal():
        raise ArgumentTypeError(f"must be a whole number, saw {value!r}")
    return int(value)


def count(value: str) -> int:
    """A whole number of at least 1."""
    if not value.isdecimal() or int(value) < 1:
        raise ArgumentTypeError(f"must be a whole number of at least 1, saw {value!r}")
    return int(value)


def seed(value: str) -> int:
    """A whole number that a training takes as its seed."""
    if (number := whole(value)) > MOST_SEED:
        raise ArgumentTypeError(f"must be at most {MOST_SEED}, saw {value!r}")
    return number


def seeds(value: str) -> tuple[int, ...]:
    """Different seeds of trainings, separated by commas."""
    numbers = tuple(seed(part) for part in value.split(","))
    if len(set(numbers)) < len(numbers):
        raise ArgumentTypeError(f"must be different numbers, saw {value!r}")
    return numbers


def rate(value: str) -> float:
    """A number in [0, 1)."""
    return _number(value, "from 0 to less than 1", lambda number: 0 <= number < 1)


def share(value: str) -> float:
    """A number in (0, 1]."""
    return _number(value, "above 0 and at most 1", lambda number: 0 < number <= 1)


def fraction(value: str) -> float:
    """A number in (0, 1)."""
    return _number(value, "above 0 and below 1, such as 0.05", lambda number: 0 < number < 1)


def positive(value: str) -> float:
    """A finite number above 0."""
    return _number(value, "above 0", lambda number: 0 < number < inf)


def at_least_one(value: str) -> float:
    """A finite number of at least 1."""
    return _number(value, "of at least 1", lambda number: 1 <= number < inf)


def share_or_off(value: str) -> float | Literal["off"]:
    """A number in (0, 1), or the word "off"."""
    if value == "off":
        return "off"
    return _number(value, "above 0 and below 1 such as 0.03, or 'off'", lambda number: 0 < number < 1)


def _number(value: str, expected: str, fits: Callable[[float], bool]) -> float:
    try:
        number = float(value)
    except ValueError:
        number = nan  # fits no range
    if not fits(number):
        raise ArgumentTypeError(f"must be a number {expected}, saw {value!r}")
    return number
