"""Untrusted text in, text that is safe to show in a terminal, a log or a page out.

Escaped are control characters (C0 and C1), line and paragraph separators, bidirectional controls, invisible characters,
lone surrogates, and the beginnings of commands to a CI runner. Letters of every script, combining marks, emoji and the
joiners within words and emoji stay as they are.
"""

from __future__ import annotations

import re
from typing import Any

_HIDDEN = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # controls
    "\u2028\u2029"  # line and paragraph separators
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # invisible
    "\ud800-\udfff"  # lone surrogates
    "\ue000-\uf8ff\U000f0000-\U0010ffff"  # private use
    "\ufdd0-\ufdef\ufffe\uffff"  # noncharacters
    "]"
)
_NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_COMMAND = re.compile(r"^\s*:(?=:)|#(?=#\w*\[)")
"""GitHub's `::error::`, at the beginning of a line; `##vso[...]` and `##teamcity[...]`, anywhere."""


def visible(text: str) -> str:
    """Text on one line, its line breaks escaped too."""
    shown = _HIDDEN.sub(lambda found: _NAMED.get(found[0]) or _escape(found[0]), text)
    return _COMMAND.sub(lambda found: found[0][:-1] + _escape(found[0][-1]), shown)


def visible_lines(text: str) -> list[str]:
    """The lines of a text."""
    return [visible(line) for line in text.split("\n")]


def visible_json(text: str) -> str:
    """A JSON document of the same value, with its own line breaks."""
    return _HIDDEN.sub(lambda found: found[0] if found[0] == "\n" else _json_escape(found[0]), text)


def encodable(text: str) -> str:
    """Text that UTF-8 can encode: the lone surrogates of a path, an argument or an answer are escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def encodable_data(value: Any) -> Any:
    """The same lists, dicts and values with every text in them encodable."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {key: encodable_data(inner) for key, inner in value.items()}
    return [encodable_data(inner) for inner in value] if isinstance(value, list) else value


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(character: str) -> str:
    """A character as JSON escapes it: one beyond 16 bits as a surrogate pair."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
