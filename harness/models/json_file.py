"""A file in, the JSON object in it out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.errors import ModelError


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; raises ModelError for anything else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path}: is not a JSON object")
    return value
