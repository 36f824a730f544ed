"""The reference of a local or hub model in, its folder on this disk out, downloaded if need be."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ModelError, did_you_mean, reason
from harness.models.embedded import REFERENCE, embedded_folder
from harness.models.hub import HUB_ID, download
from harness.models.layout import file_hint


def find_folder(reference: str) -> Path:
    """The folder of a reference, downloaded if it is on the hub; raises ModelError."""
    if reference == REFERENCE:
        return embedded_folder()
    try:
        path = Path(reference).expanduser()
        if path.is_dir():
            return path.resolve()
        is_file = path.exists()
    except RuntimeError as error:
        raise ModelError(f"{reference}: there is no such home folder") from error
    except OSError as error:
        raise ModelError(f"{reference:.200}: cannot be opened: {reason(error)}") from error
    if path == embedded_folder():
        return path
    if is_file:
        raise ModelError(
            f"{reference}: is a file; a model is a folder, a hub id or a fixture (.yaml){file_hint(path)}"
        )
    looks_like_path = reference.startswith((".", "/", "~")) or reference.partition("@")[0].count("/") > 1
    match = HUB_ID.match(reference)
    if looks_like_path or not match:
        siblings = path.parent.iterdir() if path.parent.is_dir() else ()
        near = did_you_mean(path.name, [sibling.name for sibling in siblings])
        hint = near or "a hub id has the form org/name or org/name@revision"
        raise ModelError(f"{reference}: no such folder\n  {hint}")
    return download(reference, match["repo"], match["revision"])
