"""A model's folder in, an error out if its weights are missing, pickled or incomplete, or a file exceeds its limit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.errors import ModelError
from harness.models.folder import HUB_ID
from harness.models.json_file import check_json, check_size, read_json
from harness.models.layout import ADAPTER_CONFIG, CONFIG, GENERATION, models_within, other_weights
from harness.spelling import option

LFS = b"version https://git-lfs.github.com/spec/"
"""The beginning of the small text file that git keeps in place of a large one."""

TOKENIZERS = (
    "tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "sentencepiece.bpe.model",
    "tekken.json", "*.tiktoken",
)  # fmt: skip
"""Files with a vocabulary; `tokenizer_config.json` has none."""

TEXT_FILES = (
    *TOKENIZERS, "tokenizer*", "vocab*", "merges.txt", "*.model", "added_tokens.json", "special_tokens_map.json", "*.jinja",
    "chat_template.json", "additional_chat_templates/*",
)  # fmt: skip
"""Files that decide what a model reads for a prompt."""

CONFIGS = (
    CONFIG, GENERATION, ADAPTER_CONFIG, "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "chat_template.json",
)  # fmt: skip
"""Files that transformers and peft read if they exist."""

MOST_BYTES_OF_VOCABULARY = 256 << 20
"""The largest in use are an eighth of it."""

MOST_BYTES_OF_TEMPLATE = 1 << 20

COPY = "copy the whole folder again, or save the model again"
"""What to do about files that are missing or cut off."""


def check_weights(reference: str, folder: Path, stem: str, allow_pickle: bool) -> None:
    """Check that the weights that a loader will read exist, and that the files beside them can be read.

    Args:
        stem: "model" or "adapter_model"; loaders ignore safetensors of other names.

    Raises:
        ModelError: there are no weights, they are pickled, a shard is missing, or a git-lfs pointer is in their place; or a
            file beside them is not JSON, or too large.
    """
    _check_texts(folder)
    safe = list(_weights(reference, folder, stem, "safetensors"))
    if not safe and not allow_pickle and any(file.is_file() for file in _heads(folder, stem, "bin")):
        raise ModelError(
            f"{reference}: its weights are pickled (.bin), which can run code when they are read\n"
            f"  save them as safetensors, or allow it: {option('allow_pickle')}"
        )
    weights = safe or list(_weights(reference, folder, stem, "bin"))
    for file in weights:
        if is_pointer(file):
            raise ModelError(
                f"{reference}: {file.name} is a git-lfs pointer of {file.stat().st_size} bytes, not the weights\n"
                "  fetch them: git lfs pull"
            )
    if weights:
        return
    others = sorted(path.name for path in folder.glob("*.safetensors"))
    seen = f"; saw {', '.join(others[:4])}, which no loader reads" if others else ""
    hint = other_weights(folder) or models_within(reference, folder)
    on_hub = HUB_ID.match(reference.rpartition(":")[2]) and not Path(reference).exists()
    if on_hub and not allow_pickle and hint is None:
        hint = f"if they are pickled there (.bin), they were not downloaded; to allow it: {option('allow_pickle')}"
    if stem == "adapter_model" and "model.safetensors" in others:
        hint = f"was the adapter merged into its base? then remove {ADAPTER_CONFIG} from the folder"
    raise ModelError(
        f"{reference}: no weights: there is no {stem}.safetensors in {folder}{seen}\n  {hint or COPY}"
    )


def is_pointer(file: Path) -> bool:
    """Whether git has not fetched the content of a file."""
    with file.open("rb") as opened:
        return opened.read(len(LFS)) == LFS


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder holds a vocabulary."""
    return any(path.is_file() for pattern in TOKENIZERS for path in folder.glob(pattern))


def _check_texts(folder: Path) -> None:
    for name in CONFIGS:
        if (folder / name).is_file():
            check_json(folder / name)
    for pattern in (*TOKENIZERS, "merges.txt"):
        for path in folder.glob(pattern):
            check_size(path, MOST_BYTES_OF_VOCABULARY)
    for path in folder.glob("*.jinja"):
        check_size(path, MOST_BYTES_OF_TEMPLATE)


def _heads(folder: Path, stem: str, kind: str) -> tuple[Path, Path]:
    """Where weights are if they are one file, and where the index of their shards is."""
    name = f"pytorch_{stem}" if (stem, kind) == ("model", "bin") else stem
    return folder / f"{name}.{kind}", folder / f"{name}.{kind}.index.json"


def _weights(reference: str, folder: Path, stem: str, kind: str) -> Iterator[Path]:
    """The files of the weights, whole or in shards; raises ModelError if the index names a missing one."""
    whole, index = _heads(folder, stem, kind)
    if whole.is_file():
        if kind == "safetensors" and index.is_file():
            raise ModelError(
                f"{reference}: two sets of weights: {whole.name}, and the shards of {index.name}; only the first would be read\n"
                "  remove the outdated one"
            )
        yield whole
        return
    if not index.is_file():
        return
    shards: Any = read_json(index).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise ModelError(f"{index}: has no 'weight_map', which maps tensors to files")
    for shard in sorted(set(map(str, shards.values()))):
        if Path(shard).name != shard:
            raise ModelError(f"{index}: the shard {shard} is not in the model's folder")
        if not (folder / shard).is_file():
            raise ModelError(
                f"{reference}: the shard {shard}, which {index.name} names, is missing\n  {COPY}"
            )
        yield folder / shard
