"""Numbers and model output in, words for people out. Model output is untrusted: it is shown on one line, escaped."""

from __future__ import annotations

from collections.abc import Sequence

from harness.visible import visible


def points(fraction: float) -> str:
    """A fraction as percentage points: 0.321 is "32.1", 0.1 is "10"."""
    rounded = round(100 * fraction, 1)
    return f"{rounded:.0f}" if rounded == int(rounded) else f"{rounded:.1f}"


def tenths(fraction: float) -> str:
    """A fraction in percent or points as a column of numbers has it: 0.1 is "10.0"."""
    return f"{100 * fraction:.1f}"


def percent(fraction: float) -> str:
    """A rate as "53.5 %"."""
    return f"{tenths(fraction)} %"


def between(interval: tuple[float, float]) -> str:
    """The ends of an interval of fractions, in points: "-1.2 to 6"."""
    low, high = interval
    return f"{points(low)} to {points(high)}"


def count(number: int, noun: str, plural: str = "") -> str:
    """ "1 probe", "2 probes"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def some(names: Sequence[str], most: int = 3) -> str:
    """The first of the names, and how many more there are: "a, b, c and 2 more"."""
    listed = ", ".join(names[:most])
    return f"{listed} and {len(names) - most:,} more" if len(names) > most else listed


def one_line(text: str, most: int = 60) -> str:
    """Model output in quotes, on one line of at most `most` characters, with nothing a terminal would obey."""
    shown = visible(text.strip()[: 2 * most])
    short = shown if len(shown) <= most and len(text.strip()) <= 2 * most else shown[: most - 3] + "..."
    return f'"{short}"'
