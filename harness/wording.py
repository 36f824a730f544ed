"""Numbers and model output in, words for people out. Model output is untrusted: it is shown on one line, escaped."""

from __future__ import annotations

from harness.visible import visible


def points(fraction: float) -> str:
    """A fraction as percentage points: 0.321 is "32.1", 0.1 is "10"."""
    rounded = round(100 * fraction, 1)
    return f"{rounded:.0f}" if rounded == int(rounded) else f"{rounded:.1f}"


def percent(fraction: float) -> str:
    """A rate as "53.5 %"."""
    return f"{100 * fraction:.1f} %"


def count(number: int, noun: str, plural: str = "") -> str:
    """ "1 probe", "2 probes"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def one_line(text: str, most: int = 60) -> str:
    """Model output in quotes, on one line of at most `most` characters, with nothing a terminal would obey."""
    shown = visible(text.strip()[: 2 * most])
    short = shown if len(shown) <= most and len(text.strip()) <= 2 * most else shown[: most - 3] + "..."
    return f'"{short}"'
