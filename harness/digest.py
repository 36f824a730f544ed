"""Plain data or a file in, a content key out."""

from __future__ import annotations

import json
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any


def digest(*values: Any) -> str:
    """The SHA-256, in hexadecimal, of the values as JSON with sorted keys; a single value is not put in a list."""
    content = values[0] if len(values) == 1 else values
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def bytes_digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal; raises OSError."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
