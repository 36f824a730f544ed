"""Files of safetensors in, the names and sizes of their tensors out, by their headers alone."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path

LONGEST = 100_000_000
"""Bytes of a header that safetensors allows."""


def parameters_of(folder: Path) -> int:
    """All numbers in the safetensors files of a folder; 0 where there are none, or they cannot be read."""
    return sum(size for path in sorted(folder.glob("*.safetensors")) for size in sizes_of(path).values())


def sizes_of(path: Path) -> dict[str, int]:
    """How many numbers each tensor of a file has, by name; none where the file cannot be read."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, LONGEST)))
        return {name: prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
