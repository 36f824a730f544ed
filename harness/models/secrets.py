"""A reference or an argument in, the same without passwords and keys out, so that it can be shown and recorded."""

from __future__ import annotations

import re

from harness.errors import ModelError

VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
"""The name of an environment variable that holds a key; keys themselves hardly ever look like one."""

HIDDEN = "(hidden)"

_PASSWORD = re.compile(r"(https?://)[^/?#\s,]*@", re.IGNORECASE)
_KEY = re.compile(rf"([?&]key=)(?!{VARIABLE.pattern}(?:[&#\s]|$))[^&#\s]+")


def without_secrets(text: str) -> str:
    """The text, with user and password of each address hidden, and what stands for a key that is no variable's name."""
    return _KEY.sub(rf"\1{HIDDEN}", _PASSWORD.sub(rf"\1{HIDDEN}@", text))


def refuse_secrets(reference: str) -> None:
    """Refuse a password or a key in a reference, which would be recorded, without showing it; raises ModelError."""
    if (safe := without_secrets(reference)) != reference:
        raise ModelError(
            f"{safe}: has a password or a key in it, which would be in every log\n"
            "  put it into an environment variable, and name that: ?key=MY_KEY"
        )
