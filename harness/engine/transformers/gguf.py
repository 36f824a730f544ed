"""The embedded model's GGUF file in, a folder of safetensors in the cache out; converted once."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from harness.engine.transformers.quiet import quiet
from harness.errors import ModelError
from harness.models.embedded import NAME, embedded_folder, embedded_gguf
from harness.models.identity import fault_of
from harness.models.making import make_once
from harness.progress import Log

DONE = "converted.json"
"""Written last: the identities of the converted files."""


def ensure_embedded(say: Log = lambda text: None) -> None:
    """Convert the embedded model unless the cache holds it, unchanged.

    Raises:
        ModelError: the package is missing or damaged, `gguf` is not installed, or the cache cannot be written.
    """
    folder = embedded_folder()
    stats = [(path.name, path.stat()) for path in sorted(folder.glob("*"))]
    if not _is_kept(folder, tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)):
        make_once(folder, NAME, DONE, "converted", partial(_convert, folder, say), say)


@lru_cache(maxsize=8)
def _is_kept(folder: Path, files: tuple[tuple[str, int, int], ...]) -> bool:
    """Whether the model is there, in files of these sizes and times: hashing them takes a second, so it is done once in a process."""
    return fault_of(folder, DONE, "converted") is None


def _convert(folder: Path, say: Log, unfinished: Path) -> dict[str, Any]:
    source = embedded_gguf()
    say(f"converting {NAME} to safetensors, once, into {folder}")
    try:
        with quiet():
            model = AutoModelForCausalLM.from_pretrained(
                source.parent,
                gguf_file=source.name,
                quantization_config=GgufConfig(dequantize=True),
                dtype=torch.float32,
            )
            vars(model.config).pop("quantization_config", None)
            model.save_pretrained(unfinished)
            AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(unfinished)
        return {}
    except ImportError as error:
        raise ModelError(
            f"the embedded model cannot be read: {error}\n  run: python -m pip install gguf"
        ) from error
