"""Spell the options in a message as its reader writes them: `--allow-pickle` in a shell, `allow_pickle=True` in Python.

The code that finds a fault does not know its caller. It refers to an option by a mark, and the edge that shows the message
(pytest, a command, Python itself) spells the mark.
"""

from __future__ import annotations

import json
import re

_MARK = re.compile(r"⟦option ([a-z_]+)(?:=(.*?))?⟧")
_FLAG = re.compile(r"allow_(?!key)|strict$")


def option(name: str, value: str | None = None) -> str:
    """The mark of an option in a message.

    Args:
        name: as in Python, such as "allow_pickle".
        value: its value; capitals are a placeholder for the reader's own, such as "PATH_OR_HUB_ID".
    """
    return f"⟦option {name}⟧" if value is None else f"⟦option {name}={value}⟧"


def on_command_line(text: str) -> str:
    """The message with its options as in a shell."""
    return _MARK.sub(lambda mark: f"--{mark[1].replace('_', '-')}{f'={mark[2]}' if mark[2] else ''}", text)


def in_python(text: str) -> str:
    """The message with its options as in Python."""
    return _MARK.sub(lambda mark: _as_argument(mark[1], mark[2]), text)


def _as_argument(name: str, value: str | None) -> str:
    """The option as a Python argument; a repeatable option takes all values at once there."""
    if _FLAG.match(name):
        return f"{name}=True"
    if name == "allow_key":
        return "allow_keys" if value is None else f"allow_keys=[{value!r}]"
    if name == "template_arg":
        return "template_arguments" if value is None else f"template_arguments={_as_dict(value)}"
    if value is None:
        return name
    return f"{name}={value if value.isupper() else repr(value)}"


def _as_dict(pair: str) -> dict[str, object]:
    """`KEY=VALUE` as a dict."""
    key, _, value = pair.partition("=")
    try:
        return {key: json.loads(value)}
    except ValueError:
        return {key: value}
