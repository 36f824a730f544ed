"""The path of a GGUF file in, the files of its model and their metadata out, or what is wrong with them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.engine.gguf.metadata import Metadata, read_metadata
from harness.errors import ModelError
from harness.models.digests import file_digest
from harness.models.files import is_pointer
from harness.visible import visible

SHARD = re.compile(r"-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
MOST_SHARDS = 1000
TOLD = 4
"""Names in a message."""


@dataclass(frozen=True)
class Files:
    """A model: its files, the first of several shards first, and what that says."""

    name: str
    paths: tuple[Path, ...]
    metadata: Metadata
    parameters: int

    @property
    def digests(self) -> tuple[str, ...]:
        """The SHA-256 of each file; raises ModelError if one cannot be read."""
        try:
            return tuple(map(file_digest, self.paths))
        except OSError as error:
            raise ModelError(f"{self.name}: cannot be read: {error.strerror}") from error


def find_files(name: str, path: Path) -> Files:
    """The files of the model that a path names.

    Args:
        name: the reference as the user wrote it.

    Raises:
        ModelError: there is no such file, a shard is missing, or it is no model that writes text.
    """
    path = path.expanduser()
    if not path.is_file():
        folder = path if path.is_dir() else path.parent
        there = sorted(found.name for found in folder.glob("*.gguf") if found.is_file())[:TOLD]
        hint = f"\n  in {visible(str(folder))} are: {visible(', '.join(there))}" if there else ""
        raise ModelError(f"{name}: {'is a folder' if path.is_dir() else 'no such file'}{hint}")
    paths = _shards(name, path)
    try:
        for part in paths:
            if is_pointer(part):
                raise ModelError(
                    f"{name}: {part.name} is a git-lfs pointer, not the file itself\n  run: git lfs pull"
                )
        read = [read_metadata(name if part == path else part.name, part) for part in paths]
    except OSError as error:
        raise ModelError(f"{name}: cannot be read: {error.strerror}") from error
    _check_model(name, read[0], len(paths))
    return Files(name, paths, read[0], sum(metadata.parameters for metadata in read))


def _shards(name: str, path: Path) -> tuple[Path, ...]:
    shard = SHARD.search(path.name)
    if shard is None:
        return (path,)
    count = int(shard["count"])
    names = [
        f"{path.name[: shard.start()]}-{number + 1:05}-of-{count:05}.gguf"
        for number in range(min(count, MOST_SHARDS))
    ]
    if int(shard["number"]) != 1:
        raise ModelError(f"{name}: is a part of a model\n  name the first: '{path.with_name(names[0])}'")
    paths = [path, *map(path.with_name, names[1:])]
    if missing := [part.name for part in paths if not part.is_file()]:
        raise ModelError(
            f"{name}: {len(missing)} of its {count} parts are missing: {', '.join(missing[:TOLD])}\n  put them beside it"
        )
    return tuple(paths)


def _check_model(name: str, metadata: Metadata, files: int) -> None:
    """Raise ModelError for what writes no text by itself."""
    kind = metadata.text("general.type") or "model"
    if kind == "adapter":
        raise ModelError(
            f"{name}: is an adapter in GGUF form, not a model\n"
            "  name the adapter's folder as peft saved it, or merge it; "
            f"run: llama-export-lora --model BASE.gguf --lora '{name}' --output merged.gguf"
        )
    if kind != "model" or metadata.architecture in ("", "clip", "imatrix"):
        raise ModelError(f"{name}: holds no language model, but a {kind} for '{metadata.architecture}'")
    if (count := metadata.number("split.count") or 1) != files:
        raise ModelError(
            f"{name}: is a part of a model in {count} files\n  give them their names back: NAME-00001-of-{count:05}.gguf"
        )
    if not metadata.values.get("tokenizer.ggml.tokens"):
        raise ModelError(
            f"{name}: has no tokenizer, so it reads no text\n  convert the model again, with its tokenizer"
        )
