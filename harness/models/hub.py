"""A hub id in, the folder of its newest snapshot out; whatever the hub and its clients raise becomes one clear line."""

from __future__ import annotations

import re
from pathlib import Path

from harness.errors import ModelError, first_line
from harness.writing import cannot_write, write_fault

HUB_ID = re.compile(r"^(?P<repo>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@(?P<revision>[\w./-]+))?$")
SAFE_FILES = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt", "README.md"]
NOT_WANTED = ["original/*", "consolidated*", "onnx/*", "*.gguf"]


def download(reference: str, repo: str, revision: str | None) -> Path:
    """The folder of a model's safe files, from the hub or its cache on this disk; raises ModelError."""
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(repo, revision=revision, allow_patterns=SAFE_FILES, ignore_patterns=NOT_WANTED)
        )
    except Exception as error:  # hubs, proxies and their clients raise anything
        raise ModelError(
            f"{reference}: {_reason(error, repo, revision)}\n  {type(error).__name__}: {first_line(error, 200)}"
        ) from error


def _reason(error: Exception, repo: str, revision: str | None) -> str:
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
