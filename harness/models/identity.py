"""A model's folder in, a name for its content out: the same bytes, the same name."""

from __future__ import annotations

import hashlib
from pathlib import Path

WEIGHTS = ("*.safetensors", "*.bin", "config.json", "adapter_config.json")
SETTINGS = ("generation_config.json",)
TEXT_SIDE = ("tokenizer*", "*.jinja", "special_tokens_map.json", "vocab.*", "merges.txt")


def weights_identity(folder: Path) -> str:
    """SHA-256 over the weights of a folder and the configs that say how they act, hexadecimal; "" if it has none."""
    return _digest(folder, WEIGHTS)


def tokenizer_identity(folder: Path) -> str:
    """SHA-256 over the tokenizer and chat template of a folder, hexadecimal; "" if it has none."""
    return _digest(folder, TEXT_SIDE)


def settings_identity(folder: Path) -> str:
    """SHA-256 over what a model's author prefers it to be asked with, hexadecimal; "" if there is nothing."""
    return _digest(folder, SETTINGS)


def identities(folder: Path) -> dict[str, str]:
    """The identities of a model, `weights` and `tokenizer`; as costly as reading its files once."""
    return {"weights": weights_identity(folder), "tokenizer": tokenizer_identity(folder)}


def _digest(folder: Path, patterns: tuple[str, ...]) -> str:
    files = sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
    if not files:
        return ""
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            whole.update(path.name.encode() + b"\0")
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()
