"""What a user calls a model in, a Source on this disk out.

A reference is a folder with a full model, a folder with a PEFT adapter, a hub id (`org/name@revision`)
or the word `embedded`. A fixture file is trained first, by `harness.training`, and is then a folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.errors import ModelError, did_you_mean
from harness.models.embedded import NAME, REFERENCE, embedded_folder

HUB_ID = re.compile(r"^(?P<repo>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@(?P<revision>[\w./-]+))?$")
ADAPTER_CONFIG = "adapter_config.json"
SAFE_FILES = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt", "README.md"]
NOT_WANTED = ["original/*", "consolidated*", "onnx/*", "*.gguf"]


@dataclass(frozen=True)
class Weights:
    """A full model in a folder; `name` is what the user called it."""

    name: str
    folder: Path
    embedded: bool = False


@dataclass(frozen=True)
class Adapter:
    """A PEFT adapter in a folder, over a full model; `base` is what its own config names."""

    name: str
    folder: Path
    base: Weights


Source = Weights | Adapter


@dataclass(frozen=True)
class SourcePair:
    """What to load for a run; `notes` are things that the user should hear."""

    baseline: Source
    tuned: Source
    notes: tuple[str, ...] = ()


def is_recipe(reference: str) -> bool:
    """Whether a reference names a fixture file rather than a model."""
    return reference.endswith((".yaml", ".yml"))


def find_pair(model: str, baseline: str | None, allow_pickle: bool = False) -> SourcePair:
    """Find the tuned model, and the baseline that it is held against.

    Without `baseline`, an adapter's is its base, and a full model's is the `base_model` of its model card.

    Raises:
        ModelError: something is not there, or there is no baseline to be found.
    """
    notes = []
    folder = find_folder(model)
    if (folder / ADAPTER_CONFIG).is_file():
        named = _adapter_base(folder)
        try:
            base = find_weights(named, allow_pickle)
        except ModelError as error:
            if baseline is None or (find_folder(baseline) / ADAPTER_CONFIG).is_file():
                raise ModelError(
                    f"{model}: the adapter's base model '{named}' (from {ADAPTER_CONFIG}) cannot be found\n"
                    f"  name it: --baseline PATH_OR_HUB_ID\n  {error}"
                ) from error
            base = find_weights(baseline, allow_pickle)
            notes.append(
                f"the adapter names the base '{named}', which is not here; it was put on --baseline {baseline}"
            )
        _check_files(model, folder, "adapter_model", allow_pickle)
        tuned: Source = Adapter(model, folder, base)
        return SourcePair(
            base if baseline is None else find_source(baseline, allow_pickle), tuned, tuple(notes)
        )
    tuned = find_weights(model, allow_pickle)
    named_baseline = baseline or _card_base(tuned.folder)
    if named_baseline is None:
        raise ModelError(
            f"{model}: no baseline to compare with: it is a full model, and its model card (README.md) names no base_model\n"
            "  name it: --baseline PATH_OR_HUB_ID"
        )
    try:
        return SourcePair(find_source(named_baseline, allow_pickle), tuned)
    except ModelError as error:
        if baseline is not None:
            raise
        raise ModelError(
            f"{model}: the base_model '{named_baseline}' of its model card cannot be found\n"
            f"  name it: --baseline PATH_OR_HUB_ID\n  {error}"
        ) from error


def find_source(reference: str, allow_pickle: bool = False) -> Source:
    """The full model or the adapter that a reference names; raises ModelError."""
    folder = find_folder(reference)
    if (folder / ADAPTER_CONFIG).is_file():
        _check_files(reference, folder, "adapter_model", allow_pickle)
        return Adapter(reference, folder, find_weights(_adapter_base(folder), allow_pickle))
    return find_weights(reference, allow_pickle)


def find_weights(reference: str, allow_pickle: bool = False) -> Weights:
    """The full model that a reference names; raises ModelError."""
    if reference == REFERENCE:
        return Weights(NAME, embedded_folder(), embedded=True)
    folder = find_folder(reference)
    if folder == embedded_folder():
        return Weights(NAME, folder, embedded=True)
    if (folder / ADAPTER_CONFIG).is_file():
        raise ModelError(f"{reference}: is an adapter, and a full model is needed here")
    if not (folder / "config.json").is_file():
        seen = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
        raise ModelError(
            f"{reference}: a folder without a model: neither config.json nor {ADAPTER_CONFIG} is in it\n  saw: {seen}"
        )
    _check_files(reference, folder, "model", allow_pickle)
    return Weights(reference, folder)


def find_folder(reference: str) -> Path:
    """The folder of a reference, downloaded from the hub if that is where it is; raises ModelError."""
    if reference == REFERENCE:
        return embedded_folder()
    try:
        path = Path(reference).expanduser()
    except RuntimeError as error:
        raise ModelError(f"{reference}: there is no such home folder") from error
    if path.is_dir():
        return path.resolve()
    if path == embedded_folder():
        return path
    if path.exists():
        raise ModelError(f"{reference}: is a file; a model is a folder, a hub id or a fixture (.yaml)")
    looks_like_path = reference.startswith((".", "/", "~")) or reference.partition("@")[0].count("/") > 1
    match = HUB_ID.match(reference)
    if looks_like_path or not match:
        near = (
            did_you_mean(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else None
        )
        raise ModelError(
            f"{reference}: no such folder\n  "
            + (near or "a hub id has the form org/name or org/name@revision")
        )
    return _download(reference, match["repo"], match["revision"])


def _download(reference: str, repo: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(repo, revision=revision, allow_patterns=SAFE_FILES, ignore_patterns=NOT_WANTED)
        )
    except Exception as error:  # what a hub, a proxy and their clients raise is theirs to choose
        reason = str(error).strip().splitlines()
        raise ModelError(
            f"{reference}: there is no such folder, and the hub did not give a model of that name\n"
            f"  {type(error).__name__}: {reason[0][:200] if reason else ''}"
        ) from error


def _check_files(reference: str, folder: Path, stem: str, allow_pickle: bool) -> None:
    if any(folder.glob("*.safetensors")):
        return
    if any(folder.glob("*.bin")):
        if allow_pickle:
            return
        raise ModelError(
            f"{reference}: its weights are pickled (.bin), which can run code when they are read\n"
            "  save them as safetensors, or allow it: --allow-pickle"
        )
    raise ModelError(f"{reference}: no weights: there is no {stem}*.safetensors in {folder}")


def _adapter_base(folder: Path) -> str:
    config = read_json(folder / ADAPTER_CONFIG)
    named = config.get("base_model_name_or_path")
    if not isinstance(named, str) or not named:
        raise ModelError(f"{folder / ADAPTER_CONFIG}: names no base_model_name_or_path")
    return _beside(folder, named)


def _card_base(folder: Path) -> str | None:
    """The `base_model` of the model card's front matter."""
    card = folder / "README.md"
    if not card.is_file():
        return None
    parts = card.read_text(encoding="utf-8", errors="replace").split("---", 2)
    if len(parts) < 3 or parts[0].strip():
        return None
    try:
        front = yaml.safe_load(parts[1])
    except (yaml.YAMLError, ValueError):  # ValueError: a date that does not exist
        return None
    named = front.get("base_model") if isinstance(front, dict) else None
    if isinstance(named, Sequence) and not isinstance(named, str):
        named = named[0] if len(named) == 1 else None
    return _beside(folder, named) if isinstance(named, str) and named else None


def _beside(folder: Path, named: str) -> str:
    """A relative path that a model gives is meant from where the user is, else from the model's folder."""
    if named.startswith(".") and not Path(named).is_dir() and (folder / named).is_dir():
        return str((folder / named).resolve())
    return named


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; raises ModelError for anything else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path}: is not a JSON object")
    return value


def same_place(left: Source, right: Source) -> bool:
    """Whether two references lead to the same folder, as when a model is held against itself."""
    return left.folder == right.folder
