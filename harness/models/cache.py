"""Where the harness keeps what is costly to make again: converted and trained models."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path

VARIABLE = "FORGETTING_GATE_CACHE"


def cache_folder() -> Path:
    """The folder that `FORGETTING_GATE_CACHE` names, else the platform's own for caches."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser() if named else user_cache_path("forgetting-gate")
