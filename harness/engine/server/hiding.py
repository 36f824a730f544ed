"""A server's words and a key in, the words without the key out: a server may repeat it in an error, a name or an answer."""

from __future__ import annotations

import json
import logging
from functools import cache
from typing import Any
from urllib.parse import quote

from harness.models.secrets import HIDDEN

SHORTEST = 8
"""Characters of a key that is hidden in answers too; a shorter one, such as 'EMPTY', is no secret, but a word of answers."""

LOGGERS = ("httpx2", "httpcore2.connection", "httpcore2.http11", "httpcore2.proxy")
"""Those that log the words and headers of servers."""

_KEYS: set[str] = set()
"""What is hidden in logs."""


def hidden(text: str, key: str | None) -> str:
    """A text about a failure, without the key."""
    for spelling in _spellings(key) if key else ():
        text = text.replace(spelling, HIDDEN)
    return text


def hidden_in(data: Any, key: str | None) -> Any:
    """The same JSON with the key in none of its texts and names; raises RecursionError if it is too deep."""
    return _hidden_in(data, key) if key and is_secret(key) else data


def is_secret(key: str) -> bool:
    """Whether a key is long enough to be one."""
    return len(key) >= SHORTEST


def hide_in_logs(key: str) -> None:
    """Keep a key out of what the HTTP client logs."""
    _KEYS.add(key)
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_without_keys)


def _without_keys(record: logging.LogRecord) -> bool:
    """Hide all keys in a record, which is logged then."""
    said = safe = record.getMessage()
    for key in _KEYS:
        safe = hidden(safe, key)
    if safe != said:
        record.msg, record.args = safe, ()
    return True


@cache
def _spellings(key: str) -> tuple[str, ...]:
    """The key as it is, as JSON and Python escape it, and as it stands in a URL; the longest first."""
    found = {
        key,
        json.dumps(key)[1:-1],
        key.replace("/", r"\/"),
        repr(key)[1:-1],
        quote(key),
        quote(key, safe=""),
    }
    return tuple(sorted(found, key=len, reverse=True))


def _hidden_in(data: Any, key: str) -> Any:
    if isinstance(data, str):
        return hidden(data, key)
    if isinstance(data, list):
        return [_hidden_in(item, key) for item in data]
    if isinstance(data, dict):
        return {hidden(name, key): _hidden_in(value, key) for name, value in data.items()}
    return data
