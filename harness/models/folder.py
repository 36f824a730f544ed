"""The reference of a local or hub model in, its folder on this disk out, downloaded if need be.

Whatever the hub and its clients raise becomes one clear line.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.errors import ModelError, did_you_mean, first_line, reason
from harness.models.allowed import NOTHING, Allowed
from harness.models.embedded import REFERENCE, embedded_folder
from harness.models.layout import ADAPTER_CONFIG, file_hint
from harness.writing import cannot_write, write_fault

HUB_ID = re.compile(r"^(?P<repo>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@(?P<revision>[\w./-]+))?$")
SAFE_FILES = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt", "README.md"]
PICKLES = ["pytorch_model*.bin", "adapter_model*.bin"]
CODE = ["*.py", "*.tiktoken"]
"""The vocabularies are those of tokenizers that come as code."""
NOT_WANTED = ["original/*", "consolidated*", "onnx/*", "*.gguf"]


def find_folder(reference: str, allowed: Allowed = NOTHING) -> Path:
    """The folder of a reference, downloaded if it is on the hub, with the files that are allowed; raises ModelError."""
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
    return _download(reference, match["repo"], match["revision"], allowed)


def _download(reference: str, repo: str, revision: str | None, allowed: Allowed) -> Path:
    """The folder of a model's safe files and those that are allowed, from the hub or its cache on this disk.

    Pickled weights are left where they are if the model has others, which are read.

    Raises:
        ModelError: it cannot be downloaded.
    """
    from huggingface_hub import snapshot_download

    def downloaded(patterns: list[str]) -> Path:
        return Path(
            snapshot_download(repo, revision=revision, allow_patterns=patterns, ignore_patterns=NOT_WANTED)
        )

    patterns = [*SAFE_FILES, *(CODE if allowed.code else [])]
    try:
        folder = downloaded(patterns)
        return downloaded([*patterns, *PICKLES]) if allowed.pickle and not _has_safe(folder) else folder
    except Exception as error:  # hubs, proxies and their clients raise anything
        raise ModelError(
            f"{reference}: {_hub_fault(error, repo, revision)}\n  {type(error).__name__}: {first_line(error, 200)}"
        ) from error


def _has_safe(folder: Path) -> bool:
    """Whether a model has safetensors under a name that loaders read."""
    stem = "adapter_model" if (folder / ADAPTER_CONFIG).is_file() else "model"
    return any((folder / f"{stem}.safetensors{end}").is_file() for end in ("", ".index.json"))


def _hub_fault(error: Exception, repo: str, revision: str | None) -> str:
    """What went wrong, and what to do about it."""
    from huggingface_hub import constants, errors

    match error:
        case errors.GatedRepoError() | errors.DisabledRepoError():
            return (
                f"access on the hub is restricted\n  ask for access at https://huggingface.co/{repo}, and log in: "
                "hf auth login, or HF_TOKEN"
            )
        case errors.RepositoryNotFoundError():
            return (
                "no such folder, and no such model on the hub\n  is it spelled right? a private one needs a login: "
                "hf auth login, or HF_TOKEN"
            )
        case errors.RevisionNotFoundError():
            return f"the hub has the model, but no revision '{revision}'"
        case errors.HFValidationError():
            return "no such folder, and not a hub id"
    if fault := write_fault(error):
        kept = f"cannot be kept in {constants.HF_HUB_CACHE}"
        return cannot_write(kept, error, "name another folder: HF_HUB_CACHE=FOLDER", fault).text
    if isinstance(error, (errors.LocalEntryNotFoundError, ConnectionError, TimeoutError)):
        return "no such folder, it was not downloaded before, and the hub cannot be reached"
    return "no such folder, and the hub did not return a model of that name"
