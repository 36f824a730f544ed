"""What of a model's files may be read. A module of its own, for settings are read where nothing else is installed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Allowed:
    """What a user allows to be read that can run code: pickled weights, and Python code that comes with a model."""

    pickle: bool = False
    code: bool = False


NOTHING = Allowed()
