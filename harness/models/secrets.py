"""A reference or an argument in, the same without passwords and keys out, so that it can be shown and recorded."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from harness.errors import ModelError, did_you_mean

PARAMETERS = ("key", "revision", "tokenizer", "concurrency", "timeout", "patience")
"""Of a reference to a server; the value of any other may be a key."""

HIDDEN = "(hidden)"

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
"""Of an environment variable; a key may look like one, but hardly without a digit."""

_PASSWORD = re.compile(r"(https?://)(?:[^/?#\s\[]*:(?!//|\d*(?:[/?#,\s]|$))\S*|[^/?#\s]*)@", re.IGNORECASE)
"""User and password of an address, which may have characters in it that end one; a colon before a port begins none."""

_ADDRESS = re.compile(r"https?://.*", re.IGNORECASE | re.DOTALL)
_PARAMETER = re.compile(r"(?<=[?&])([^=&?#]+)(=?)([^&?#]*)")


def without_secrets(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The text, with what may be a secret in an address hidden: user and password, and the values of unknown parameters.

    That of `key` is shown if it names a variable: one of the environment, or one that is not there yet and has no digit.
    """

    def parameter(found: re.Match[str]) -> str:
        name, equals, value = found.groups()
        if not equals and "#" in found.string[: found.start()]:
            return found[0]  # of the model's name
        if name not in PARAMETERS:
            return f"{name}={HIDDEN}" if value.strip("=") else HIDDEN
        named = _NAME.fullmatch(value) and (value in environment or not re.search(r"\d", value))
        return found[0] if name != "key" or not value or named else f"{name}={HIDDEN}"

    text = _PASSWORD.sub(rf"\1{HIDDEN}@", text)
    return _ADDRESS.sub(lambda address: _PARAMETER.sub(parameter, address[0]), text)


def refuse_secrets(reference: str, environment: Mapping[str, str] = os.environ) -> None:
    """Refuse what may be a password or a key in a reference, which would be recorded, without showing it; raises ModelError."""
    safe = without_secrets(reference, environment)
    if safe == reference:
        return
    why = "has a password or a key in it, which would be in every log"
    hint = "put it into an environment variable, set where the gate runs, and name that: ?key=MY_KEY"
    strange = [name for name, _, _ in _PARAMETER.findall(safe) if name not in (*PARAMETERS, HIDDEN)]
    if strange:
        why = f"a server's reference has no parameter '{strange[0]}'"
        near = did_you_mean(strange[0], PARAMETERS) or f"there are: {', '.join(PARAMETERS)}"
        hint = (
            f"{near}\n  a key goes into an environment variable, and its name into the reference: ?key=MY_KEY"
        )
    raise ModelError(f"{safe}: {why}\n  {hint}")
