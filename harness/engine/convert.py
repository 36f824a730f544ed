"""The embedded model's GGUF file in, a folder of safetensors in the cache out; done once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from filelock import FileLock
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from harness.engine.quiet import quiet
from harness.errors import ModelError
from harness.models.embedded import NAME, embedded_folder, embedded_gguf


def ensure_embedded(say: Callable[[str], None] = lambda text: None) -> None:
    """Convert the embedded model unless that was done before.

    A lock keeps xdist workers from doing it twice, and the folder appears whole or not at all.

    Raises:
        ModelError: the package is missing or damaged, or `gguf` is not installed.
    """
    folder = embedded_folder()
    if (folder / "model.safetensors").is_file():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if (folder / "model.safetensors").is_file():
            return
        source = embedded_gguf()
        say(f"converting {NAME} to safetensors, once, into {folder}")
        unfinished = tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-")
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
                AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(
                    unfinished
                )
        except ImportError as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise ModelError(
                f"the embedded model cannot be read: {error}\n  run: python -m pip install gguf"
            ) from error
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        Path(unfinished).rename(folder)
