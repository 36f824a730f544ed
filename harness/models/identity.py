"""A model's folder in, names for its content out: equal bytes, equal names; and whether a kept folder is unchanged."""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.errors import ModelError
from harness.models.digests import file_digest
from harness.models.files import TEXT_FILES
from harness.models.json_file import read_json
from harness.models.layout import ADAPTER_CONFIG, CONFIG, GENERATION

WEIGHTS = ("*.safetensors", "*.bin", CONFIG, ADAPTER_CONFIG)
SETTINGS = (GENERATION,)


def weights_identity(folder: Path) -> str:
    """SHA-256 over a folder's weights and the configs that they act by, hexadecimal; "" if it has none."""
    return _digest(folder, WEIGHTS)


def tokenizer_identity(folder: Path) -> str:
    """SHA-256 over a folder's tokenizer and chat template, hexadecimal; "" if it has none."""
    return _digest(folder, TEXT_FILES)


def identities(folder: Path) -> dict[str, str]:
    """The identities of a model, `weights` and `tokenizer`; costs one reading of its files."""
    return {"weights": weights_identity(folder), "tokenizer": tokenizer_identity(folder)}


def kept_identities(folder: Path) -> dict[str, str]:
    """The identities recorded for a folder in the cache: `weights`, `tokenizer` and `settings` (of generation)."""
    return {**identities(folder), "settings": _digest(folder, SETTINGS)}


def fault_of(folder: Path, record: str, made: str) -> str | None:
    """Why a folder in the cache can no longer be used, in words; None if it is byte for byte what was put there.

    Args:
        record: its file that was written last.
        made: the key of the recorded identities in that file, and the word for how they came about: "trained".
    """
    if not (folder / record).is_file():
        return f"its {record} is gone"
    try:
        recorded = read_json(folder / record).get(made)
    except ModelError:
        return f"its {record} cannot be read"
    if not isinstance(recorded, dict) or not recorded.keys() >= {"weights", "tokenizer"}:
        return f"its {record} does not say what was {made}"
    try:
        now = kept_identities(folder)
    except OSError:
        return "its files cannot be read"
    # Older records know fewer parts.
    changed = [part for part in now if recorded.get(part, now[part]) != now[part]]
    return f"its {' and its '.join(changed)} changed since it was saved" if changed else None


def file_digests(folder: Path, patterns: tuple[str, ...]) -> dict[str, str]:
    """The SHA-256 of a folder's files, hexadecimal, by their paths in it; raises OSError if one cannot be read."""
    files = sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in files}


def _digest(folder: Path, patterns: tuple[str, ...]) -> str:
    files = file_digests(folder, patterns)
    if not files:
        return ""
    whole = hashlib.sha256()
    for name, digest in files.items():
        whole.update(name.encode() + b"\0")
        whole.update(bytes.fromhex(digest))
    return whole.hexdigest()
