"""The parameters of a score as YAML has them in, what made-up replies take of them out: the words that it looks for, its limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.suites.scorer import Scorer

LOOKED_FOR = ("contains", "mentions")
MOST_WORDS = 200
"""No reply is made longer for the sake of a `min_words`."""


def wants_refusal(scorer: Scorer) -> bool:
    """Whether a score is `refusal`, or a rule with it somewhere, and expects the model to decline."""
    return any(
        value.get("expected", True) is True if isinstance(value, Mapping) else value is not False
        for value in _values(scorer, "refusal")
    )


def wanted_texts(scorer: Scorer) -> list[str]:
    """The texts that a rule looks for, however it is nested; not those that it forbids."""
    listed = (value if isinstance(value, list) else [value] for value in _values(scorer, *LOOKED_FOR))
    return [text for texts in listed for text in texts if isinstance(text, str) and text.strip()]


def least_words(scorer: Scorer) -> int:
    """How many words a rule asks for; 0 unless it asks for any."""
    return min(max(_limits(scorer, "min_words"), default=0), MOST_WORDS)


def most_words(scorer: Scorer) -> int:
    """How many words a rule allows."""
    return min(_limits(scorer, "max_words"), default=MOST_WORDS)


def _limits(scorer: Scorer, name: str) -> list[int]:
    return [value for value in _values(scorer, name) if isinstance(value, int)]


def _values(scorer: Scorer, *names: str) -> Iterator[Any]:
    """The values of a score's keys of these names, at any depth."""
    return (value for name, value in _keys({scorer.name: scorer.written()}) if name in names)


def _keys(written: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, at any depth; not those under `not`."""
    if isinstance(written, list):
        for item in written:
            yield from _keys(item)
    elif isinstance(written, Mapping):
        for name, value in written.items():
            if name != "not":
                yield str(name), value
                yield from _keys(value)
