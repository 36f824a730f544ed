"""Plain data in, a key that stands for its content out."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any


def digest(*values: Any) -> str:
    """SHA-256 in hexadecimal over values as JSON, the keys of mappings in order; one value stands for itself."""
    content = values[0] if len(values) == 1 else values
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
