"""An option that a message names in, the way its reader writes it out: `--allow-pickle` in a shell, `allow_pickle=True` in Python.

Whoever finds a fault does not know who called. So its message refers to an option with a mark, and the edge that shows the
message (pytest, a command, Python itself) spells it.
"""

from __future__ import annotations

import json
import re

_MARK = re.compile(r"⟦option ([a-z_]+)(?:=(.*?))?⟧")
_FLAG = re.compile(r"allow_(?!key)|strict$")


def option(name: str, value: str | None = None) -> str:
    """A reference to an option in a message.

    Args:
        name: as Python writes it, such as "allow_pickle".
        value: what to give it; in capitals where that stands for the reader's own, such as "PATH_OR_HUB_ID".
    """
    return f"⟦option {name}⟧" if value is None else f"⟦option {name}={value}⟧"


def on_command_line(text: str) -> str:
    """A message with its options as a shell takes them."""
    return _MARK.sub(lambda found: _in_shell(found[1], found[2]), text)


def in_python(text: str) -> str:
    """A message with its options as a function takes them."""
    return _MARK.sub(lambda found: _as_argument(found[1], found[2]), text)


def _in_shell(name: str, value: str | None) -> str:
    written = f"--{name.replace('_', '-')}"
    return written if value is None else f"{written} {value}"


def _as_argument(name: str, value: str | None) -> str:
    """An argument; those that a command line repeats, one value at a time, Python takes at once."""
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
    """`KEY=VALUE` as Python holds it."""
    key, _, value = pair.partition("=")
    try:
        return {key: json.loads(value)}
    except ValueError:
        return {key: value}
