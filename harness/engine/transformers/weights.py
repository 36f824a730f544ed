"""A full model's folder in, the model in memory out, proven to be what its config and files say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig

from harness.engine.settings import Settings
from harness.engine.transformers.checks import check_architecture, check_complete
from harness.engine.transformers.device import check_dtype, default_dtype, dtype_name, out_of_memory
from harness.engine.transformers.mapped import copy_out
from harness.engine.transformers.quiet import Heard, quiet
from harness.errors import ModelError, first_line
from harness.models.files import COPY
from harness.models.layout import CONFIG
from harness.models.layout import GENERATION as GENERATION
from harness.models.reference import FullModel
from harness.spelling import option

MISFIT = re.compile(
    r"(?P<name>\S+) \| MISMATCH \|.*?ckpt: ?torch\.Size\((?P<saved>[^)]*)\) vs model: ?torch\.Size\((?P<made>[^)]*)\)"
)


def load_weights(source: FullModel, settings: Settings, device: torch.device) -> tuple[Any, list[str]]:
    """The model on its device, and notes for the user.

    Raises:
        ModelError: it cannot be loaded, is incomplete, or is not a causal language model that this engine can run.
    """
    check_dtype(device, settings.dtype)
    pad = _check_config(source, settings)
    wanted = settings.dtype_on(device.type)
    heard = Heard()
    try:
        with quiet(heard):
            model, info = AutoModelForCausalLM.from_pretrained(
                source.folder,
                dtype=wanted if wanted == "auto" else getattr(torch, wanted),
                use_safetensors=None if settings.allow_pickle else True,
                trust_remote_code=settings.allow_remote_code,
                output_loading_info=True,
                **({"pad_token_id": None} if pad is not None else {}),
            )
    except Exception as error:  # transformers raises anything for a broken folder
        raise ModelError(_misfit(source, heard.lines) or _reason(source, error)) from error
    check_architecture(source.name, model)
    check_complete(source.name, info)
    if wanted == "auto" and (best := default_dtype(device, saved := dtype_name(model))) != saved:
        model = model.to(getattr(torch, best))
    try:
        model = model.to(device).eval()
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        raise ModelError(f"{source.name}: does not fit the memory of {device}") from error
    if device.type == "cpu":
        copy_out(model)
    ends, beyond = _end_tokens(source, model)
    # Greedy decoding must not depend on the defaults of a model's author (penalties, sampling).
    model.generation_config = GenerationConfig(eos_token_id=ends)
    notes = [f"at loading: {line[:300]}" for line in heard.lines]
    outside = f"is outside its vocabulary of {len(model.get_input_embeddings().weight)} tokens"
    if beyond:
        notes.append(f"its eos_token_id {', '.join(map(str, beyond))} {outside} and ends no answer")
    if pad is not None:
        notes.append(f"its pad_token_id {pad} {outside}; another token is used")
    return model, [f"{source.name}: {note}" for note in notes]


def _check_config(source: FullModel, settings: Settings) -> int | None:
    """Read the configs alone, so that an error names its file, and before their numbers allocate anything.

    Returns:
        A padding token outside the vocabulary, which torch's embeddings reject; None if it is inside.

    Raises:
        ModelError: one cannot be read, or config.json claims more layers than there are tensors.
    """
    config = _read(source, AutoConfig, CONFIG, trust_remote_code=settings.allow_remote_code)
    if (source.folder / GENERATION).is_file():
        _read(source, GenerationConfig, GENERATION)
    text = config.get_text_config()
    layers, tensors = getattr(text, "num_hidden_layers", None), _tensors(source.folder)
    if isinstance(layers, int) and tensors is not None and layers > tensors:
        raise ModelError(
            f"{source.name}: its config.json claims {layers} layers, but its weights are {tensors} tensors\n"
            "  does its config.json belong to its weights?"
        )
    pad, size = getattr(text, "pad_token_id", None), getattr(text, "vocab_size", None)
    return pad if isinstance(pad, int) and isinstance(size, int) and not -size <= pad < size else None


def _read(source: FullModel, kind: Any, file: str, **extra: Any) -> Any:
    try:
        with quiet():
            return kind.from_pretrained(source.folder, **extra)
    except Exception as error:  # transformers raises anything for a broken config
        raise ModelError(_reason(source, error, file)) from error


def _tensors(folder: Path) -> int | None:
    """The number of tensors in safetensors files; None if there are none, or they cannot be read."""
    tensors = 0
    for path in folder.glob("model*.safetensors"):
        try:
            with safe_open(path, framework="pt") as file:
                tensors += len(file.keys())
        except (OSError, SafetensorError):
            return None  # the loader will report it
    return tensors or None


def _damaged(folder: Path) -> str | None:
    """What is wrong with the first damaged safetensors file of a full model; None if all can be read."""
    for path in sorted(folder.glob("model*.safetensors")):
        try:
            with safe_open(path, framework="pt"):
                pass
        except (OSError, SafetensorError) as error:
            return f"{path.name} is damaged: {first_line(error)}"
    return None


def _end_tokens(source: FullModel, model: Any) -> tuple[list[int] | None, list[int]]:
    """The tokens that end a turn by the model's configs: those in its vocabulary, and those outside."""
    named = model.generation_config.eos_token_id
    listed = [] if named is None else named if isinstance(named, list) else [named]
    if not all(isinstance(token, int) and not isinstance(token, bool) for token in listed):
        own = source.folder / GENERATION
        raise ModelError(
            f"{own if own.is_file() else source.folder / CONFIG}: eos_token_id must be the number of a token, or a list "
            f"of them, saw {named!r:.60}"
        )
    known = range(len(model.get_input_embeddings().weight))
    return [token for token in listed if token in known] or None, [t for t in listed if t not in known]


def _misfit(source: FullModel, lines: Sequence[str]) -> str | None:
    """The error for a tensor whose shape contradicts the config, from the report of transformers; None without one."""
    match = next(filter(None, map(MISFIT.search, lines)), None)
    return match and (
        f"{source.name}: its weights do not fit its config.json: '{match['name']}' is {match['saved']} in its file, but "
        f"{match['made']} by its config"
    )


def _reason(source: FullModel, error: Exception, file: str | None = None) -> str:
    if "trust_remote_code" in str(error):
        return f"{source.name}: comes with Python code of its own\n  if you trust its author: {option('allow_remote_code')}"
    if not file and (damaged := _damaged(source.folder)):
        return f"{source.name}: {damaged}\n  {COPY}"
    what = f"its {file} cannot be used" if file else "cannot be loaded"
    return f"{source.name}: {what}: {type(error).__name__}: {first_line(' '.join(str(error).split()))}"
