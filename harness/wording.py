"""Numbers, names and model output as people read them. Model output is untrusted, and shown escaped on one line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from harness.visible import visible


def points(fraction: float) -> str:
    """A fraction as percentage points: 0.321 is "32.1", 0.1 is "10"."""
    rounded = round(100 * fraction, 1)
    return f"{rounded:z.0f}" if rounded == int(rounded) else f"{rounded:.1f}"


def tenths(fraction: float) -> str:
    """A fraction in percent with one decimal, for columns of numbers: 0.1 is "10.0"."""
    return f"{100 * fraction:z.1f}"


def percent(fraction: float) -> str:
    """A fraction in percent: "53.5 %"."""
    return f"{tenths(fraction)} %"


def between(interval: tuple[float, float]) -> str:
    """An interval of fractions, in points: "-1.2 to 6"."""
    low, high = interval
    return f"{points(low)} to {points(high)}"


def count(number: int, noun: str, plural: str = "") -> str:
    """ "1 probe", "2 probes"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def some(names: Sequence[str], most: int = 3) -> str:
    """The first names and the number of the others: "a, b, c and 2 more"."""
    listed = ", ".join(names[:most])
    return f"{listed} and {len(names) - most:,} more" if len(names) > most else listed


def one_line(text: str, most: int = 60) -> str:
    """Model output in quotes, escaped and shortened to one line of `most` characters."""
    return f'"{cut(visible(text.strip()[: 2 * most]), most)}"'


def cut(text: str, most: int) -> str:
    """Text of at most `most` characters, a longer one with "..." at its end."""
    return text if len(text) <= most else text[: most - 3] + "..."


def now() -> str:
    """The time, in UTC (ISO 8601)."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def duration(seconds: float) -> str:
    """A time to wait, as precise as anyone needs: "45 s", "12 min", "3 h 20 min"."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60:,} h {minutes % 60} min"


def a_second(rate: float) -> str:
    """How many there are a second, or else a minute or an hour: "14 a second", "8 a minute"."""
    for unit, times in (("second", 1), ("minute", 60)):
        if rate * times >= 1:
            return f"{rate * times:,.0f} a {unit}"
    return f"{rate * 3600:,.0f} an hour"
