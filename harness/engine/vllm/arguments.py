"""A base, its adapters and the settings of a run in, the arguments of `vllm.LLM` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.engine.engine_args import engine_args
from harness.engine.settings import Settings
from harness.engine.vllm.library import Library
from harness.errors import ModelError
from harness.models.json_file import read_json
from harness.models.layout import ADAPTER_CONFIG
from harness.models.parameters import sizes_of
from harness.models.reference import Adapter, FullModel
from harness.spelling import option

OURS = {
    "model": "the reference of the model",
    "tokenizer": option("template"),
    "dtype": option("dtype"),
    "trust_remote_code": option("allow_remote_code"),
    "enable_lora": "the reference of the adapter",
    "skip_tokenizer_init": "nothing: texts become tokens before",
    "logprobs_mode": "nothing: log-probabilities are those of the model",
    "runner": "nothing: the model writes text",
    "convert": "nothing: the model writes text",
}
"""Arguments of vLLM that this package gives, and what decides them."""

HEAD = "lm_head"
WEIGHTS = "adapter_model.safetensors"

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The ranks that vLLM reserves for adapters."""

PICKLES = ("auto", "pt", "npcache")
"""Formats of weights in which vLLM may read pickles."""

MEMORY = 0.9
"""The share of a GPU's memory that all models together take."""

UNABLE: Mapping[str, str] = {
    "use_dora": "DoRA",
    "modules_to_save": "modules saved whole (modules_to_save)",
    "trainable_token_indices": "trained embeddings of single tokens",
    "lora_bias": "biases (lora_bias)",
    "alora_invocation_tokens": "aLoRA",
    "layer_replication": "replicated layers",
    "use_qalora": "QALoRA",
    "use_bdlora": "BD-LoRA",
    "megatron_config": "Megatron's layers",
}
"""What an adapter's config may ask of peft, and vLLM leaves out or refuses."""

PLAIN_STARTS = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")
"""Ways to begin LoRA that leave the base as it is."""


def arguments_of(
    base: FullModel, adapters: Sequence[Adapter], settings: Settings, library: Library, models: int
) -> dict[str, Any]:
    """What `vllm.LLM` is given.

    Args:
        models: how many share the memory of the device.

    Raises:
        ModelError: an argument is none, or this package's own, or vLLM cannot run an adapter.
    """
    known = library.arguments - OURS.keys()
    for name, _ in settings.engine_args:
        if name in OURS and name in library.arguments:
            raise ModelError(f"{option('engine_args', name)}: cannot be set: it is decided by {OURS[name]}")
    given = engine_args(settings.engine_args, known, "vllm")
    _check_format(given, settings)
    arguments: dict[str, Any] = {
        "seed": 0,
        "enable_prefix_caching": True,
        "use_tqdm_on_load": False,
        "load_format": "auto" if settings.allow_pickle else "safetensors",
        "gpu_memory_utilization": MEMORY / models,
    }
    if adapters:
        ranks = [rank_of(adapter) for adapter in adapters]
        arguments |= {
            "enable_lora": True,
            "max_loras": len(adapters),
            "max_lora_rank": next(rank for rank in RANKS if rank >= max(ranks)),
            # a head that could learn, though it did not, takes vLLM the log-probabilities of prompts
            "lora_target_modules": sorted(set().union(*map(modules_of, adapters))) or None,
        }
    return {
        **{name: value for name, value in arguments.items() if name in library.arguments},
        **given,
        "model": str(base.folder),
        "runner": "generate",
        "skip_tokenizer_init": True,
        "trust_remote_code": settings.allow_remote_code,
        "dtype": settings.dtype_on(library.device),
    }


def _check_format(given: Mapping[str, Any], settings: Settings) -> None:
    if given.get("load_format") in PICKLES and not settings.allow_pickle:
        raise ModelError(
            f"{option('engine_args', 'load_format')}: may read weights that are not safetensors; a pickle can run code\n"
            f"  if you trust its author: {option('allow_pickle')}"
        )


def check_device(settings: Settings, library: Library) -> None:
    """Refuse a device that vLLM would not use; raises ModelError."""
    kind, _, number = settings.device.partition(":")
    if kind not in ("auto", library.device) or number:
        raise ModelError(
            f"{option('device', settings.device)}: this vllm uses the devices of the type {library.device} that it sees\n"
            f"  leave that out; which GPUs it sees is for CUDA_VISIBLE_DEVICES, and how many it uses for "
            f"{option('engine_args', 'tensor_parallel_size=N')}"
        )


def modules_of(adapter: Adapter) -> set[str]:
    """The last part of the names of all modules that an adapter trains."""
    names = sizes_of(adapter.folder / WEIGHTS) or {
        f"{name}.lora_A" for name in read_json(adapter.folder / ADAPTER_CONFIG).get("target_modules") or ()
    }
    return {name.partition(".lora_")[0].rpartition(".")[2] for name in names if ".lora_" in name}


def rank_of(adapter: Adapter) -> int:
    """The highest rank of an adapter.

    Raises:
        ModelError: vLLM cannot run an adapter like this.
    """
    config = read_json(adapter.folder / ADAPTER_CONFIG)
    kind = str(config.get("peft_type", "")).upper()
    start = config.get("init_lora_weights")
    unable = next((words for key, words in UNABLE.items() if config.get(key)), None)
    if kind != "LORA":
        unable = f"adapters of type {kind or 'unknown'}"
    elif HEAD in modules_of(adapter):
        unable = f"an adapter on the output head ({HEAD}) and tell log-probabilities"
    elif config.get("bias", "none") != "none":
        unable = "trained biases"
    elif isinstance(start, str) and start.lower() not in PLAIN_STARTS:
        unable = f"adapters that change their base (init_lora_weights: {start})"
    ranks: list[Any] = [config.get("r"), *(config.get("rank_pattern") or {}).values()]
    if unable is None and not all(isinstance(rank, int) and 0 < rank <= RANKS[-1] for rank in ranks):
        unable = f"ranks beyond {RANKS[-1]}"
    if unable:
        raise ModelError(
            f"{adapter.name}: vllm cannot run {unable}\n"
            f"  run it by {option('engine', 'transformers')}, or merge it into its base (merge_and_unload) and gate that"
        )
    return int(max(ranks))
