"""A folder that was kept in the cache in; whether it is still what was put there, byte for byte, out."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ModelError
from harness.models.identity import identities, settings_identity
from harness.models.json_file import read_json


def kept_identities(folder: Path) -> dict[str, str]:
    """What is written down of a folder that is kept: `weights`, `tokenizer` and `settings`."""
    return {**identities(folder), "settings": settings_identity(folder)}


def fault_of(folder: Path, record: str, made: str) -> str | None:
    """Why a kept model cannot be taken for the one that was put there; None if it is that one.

    Args:
        record: the file in it that was written last.
        made: the key under which the file has the identities of what was made, and the word for it: "trained".
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
    # An older record knows fewer parts.
    changed = [part for part in now if recorded.get(part, now[part]) != now[part]]
    return f"its {' and its '.join(changed)} changed since it was saved" if changed else None
