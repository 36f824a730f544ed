"""A word of a command line in, its value out: types for argparse that say what was seen and what was expected."""

from __future__ import annotations

from argparse import ArgumentTypeError
from math import inf, nan

from harness.errors import did_you_mean


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


def whole(value: str) -> int:
    """A whole number, 0 too."""
    if not value.isdecimal():
        raise ArgumentTypeError(f"must be a whole number, saw {value!r}")
    return int(value)


def count(value: str) -> int:
    """A whole number of at least 1."""
    if not value.isdecimal() or int(value) < 1:
        raise ArgumentTypeError(f"must be a whole number of at least 1, saw {value!r}")
    return int(value)


def seeds(value: str) -> tuple[int, ...]:
    """Whole numbers with commas between them, each once."""
    found = tuple(whole(part) for part in value.split(","))
    if len(set(found)) < len(found):
        raise ArgumentTypeError(f"must be different numbers, saw {value!r}")
    return found


def rate(value: str) -> float:
    """A number from 0 up to, and without, 1."""
    number = _number(value)
    if not 0 <= number < 1:
        raise ArgumentTypeError(f"must be a number from 0 to less than 1, saw {value!r}")
    return number


def share(value: str) -> float:
    """A number above 0, 1 at most."""
    number = _number(value)
    if not 0 < number <= 1:
        raise ArgumentTypeError(f"must be a number above 0 and at most 1, saw {value!r}")
    return number


def positive(value: str) -> float:
    """A number above 0."""
    number = _number(value)
    if not 0 < number < inf:
        raise ArgumentTypeError(f"must be a number above 0, saw {value!r}")
    return number


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return nan  # which lies in no range
