"""The embedded model's GGUF file in, a folder of safetensors in the cache out; converted once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import torch
from filelock import FileLock
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from harness.engine.transformers.quiet import quiet
from harness.errors import ModelError
from harness.models.cache import keeping
from harness.models.embedded import NAME, embedded_folder, embedded_gguf
from harness.models.identity import fault_of, kept_identities
from harness.writing import whole_folder, write_whole

DONE = "converted.json"
"""Written last: the identities of the converted files."""


def ensure_embedded(say: Callable[[str], None] = lambda text: None) -> None:
    """Convert the embedded model unless the cache holds it, unchanged.

    A lock keeps xdist workers from converting it twice, and the folder appears complete or not at all.

    Raises:
        ModelError: the package is missing or damaged, `gguf` is not installed, or the cache cannot be written.
    """
    folder = embedded_folder()
    fault = _fault(folder)
    if fault is None:
        return
    again = f", which must be converted again ({fault})" if folder.exists() else ""
    with keeping(f"{NAME}{again}", folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            fault = _fault(folder)
            if fault is None:
                return
            if folder.exists():
                say(f"{NAME}: the model kept in {folder} is converted again: {fault}")
            for unfinished in folder.parent.glob(f".{folder.name}-*"):
                shutil.rmtree(unfinished, ignore_errors=True)
            _convert(folder, say)


def _fault(folder: Path) -> str | None:
    """Why the model in the cache cannot be used; None if it can."""
    stats = [(path.name, path.stat()) for path in sorted(folder.glob("*"))]
    return _fault_of(folder, tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats))


@lru_cache(maxsize=8)
def _fault_of(folder: Path, files: tuple[tuple[str, int, int], ...]) -> str | None:
    """The same, for files of these sizes and times: hashing them takes a second, so it is done once in a process."""
    return fault_of(folder, DONE, "converted")


def _convert(folder: Path, say: Callable[[str], None]) -> None:
    source = embedded_gguf()
    say(f"converting {NAME} to safetensors, once, into {folder}")
    try:
        with whole_folder(folder) as unfinished, quiet():
            model = AutoModelForCausalLM.from_pretrained(
                source.parent,
                gguf_file=source.name,
                quantization_config=GgufConfig(dequantize=True),
                dtype=torch.float32,
            )
            vars(model.config).pop("quantization_config", None)
            model.save_pretrained(unfinished)
            AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(unfinished)
            record = {"converted": kept_identities(unfinished)}
            write_whole(unfinished / DONE, json.dumps(record, indent=1) + "\n")
    except ImportError as error:
        raise ModelError(
            f"the embedded model cannot be read: {error}\n  run: python -m pip install gguf"
        ) from error
