"""The folder of models that are costly to make again: converted and trained ones."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path

from platformdirs import user_cache_path

from harness.errors import ModelError
from harness.writing import write_fault, writing

VARIABLE = "FORGETTING_GATE_CACHE"


def cache_folder() -> Path:
    """The folder that `FORGETTING_GATE_CACHE` names, or the platform's cache folder; raises ModelError."""
    named = os.environ.get(VARIABLE)
    try:
        return Path(named).expanduser() if named else user_cache_path("forgetting-gate")
    except RuntimeError as error:
        raise ModelError(f"{VARIABLE}={named}: there is no such home folder") from error


def keeping(what: str, folder: Path) -> AbstractContextManager[None]:
    """A block that writes to the cache; raises ModelError if it cannot, as on a full disk."""
    return writing(
        f"{what}: cannot be kept in {folder}",
        f"name another folder: {VARIABLE}=FOLDER",
        lambda error: None if _elsewhere(error, folder) else write_fault(error),
        ModelError,
    )


def _elsewhere(error: Exception, folder: Path) -> bool:
    """Whether an error names a file outside a folder and its parent."""
    named = error.filename if isinstance(error, OSError) else None
    if not isinstance(named, str):
        return False
    path, folder = Path(named).absolute(), folder.absolute()
    return not (path.is_relative_to(folder.parent) or folder.is_relative_to(path))
