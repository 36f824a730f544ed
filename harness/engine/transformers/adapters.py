"""An adapter's folder and its base in memory in, the adapter on the base out, with every tensor proven to have arrived."""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, get_type_hints

import torch
from peft import PEFT_TYPE_TO_CONFIG_MAPPING, PeftModel, PeftType, get_peft_model_state_dict
from peft.utils import load_peft_weights
from pydantic import PydanticUserError, TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open

from harness.engine.transformers.proof import same_tensors
from harness.engine.transformers.vocabulary import Fit, resize
from harness.errors import ModelError, did_you_mean, first_line
from harness.models.files import COPY
from harness.models.json_file import read_json
from harness.models.layout import ADAPTER_CONFIG
from harness.models.reference import Adapter
from harness.spelling import option

CANNOT_RUN = {
    "POLY": "it needs the task of each prompt",
    "XLORA": "it weighs its adapters by the whole text so far, the answer included",
}
"""Types of adapter that this engine would not run as peft does."""

WEIGHTS = "adapter_model.safetensors"

SAYS_NOTHING = {"base_model_name_or_path", "revision", "inference_mode", "peft_version", "auto_mapping"}
"""Keys of an adapter's config that do not affect what it computes."""


def read_config(source: Adapter, allowed: Collection[str]) -> dict[str, Any]:
    """The adapter's config, as written.

    Args:
        allowed: keys that the installed peft need not know.

    Raises:
        ModelError: this type of adapter cannot be run, or peft does not know a key with a value.
    """
    config = read_json(source.folder / ADAPTER_CONFIG)
    kind = str(config.get("peft_type", "")).upper()
    if kind in CANNOT_RUN:
        raise ModelError(
            f"{source.name}: this engine cannot run an adapter of type {kind}: {CANNOT_RUN[kind]}"
        )
    if kind not in PEFT_TYPE_TO_CONFIG_MAPPING:
        raise ModelError(
            f"{source.folder / ADAPTER_CONFIG}: the installed peft does not know the adapter type {config.get('peft_type')!r}\n"
            f"  {did_you_mean(kind, [known.value for known in PeftType]) or 'install the peft that wrote it'}"
        )
    known = {field.name for field in dataclasses.fields(PEFT_TYPE_TO_CONFIG_MAPPING[PeftType(kind)])}
    # A newer peft writes every switch that it has; those that are off change nothing.
    if unknown := sorted(key for key in config.keys() - known - set(allowed) if config[key]):
        version = f" ({config['peft_version']})" if config.get("peft_version") else ""
        raise ModelError(
            f"{source.folder / ADAPTER_CONFIG}: the installed peft does not know '{unknown[0]}' "
            f"({config[unknown[0]]!r:.60}) and would ignore it, so the adapter would compute something else\n"
            f"  install the peft that wrote it{version}, or, if it changes nothing: "
            f"{option('allow_key', unknown[0])}"
        )
    return config


def same_adapters(left: Adapter, right: Adapter) -> bool:
    """Whether two folders hold the same adapter: on the same base, with equal tensors and equivalent configs."""

    def meaning(source: Adapter) -> dict[str, Any]:
        config = read_json(source.folder / ADAPTER_CONFIG)
        return {  # peft writes sets as lists, in any order
            key: sorted(map(str, value)) if isinstance(value, list) else value
            for key, value in config.items()
            if value and key not in SAYS_NOTHING
        }

    alike = left.base == right.base and meaning(left) == meaning(right)
    return alike and same_tensors(saved_tensors(left), saved_tensors(right))


def adapter_tokens(config: Mapping[str, Any]) -> list[int]:
    """The tokens that an adapter may depend on: those that it trains, and those that invoke it."""
    special: list[int] = []
    for key in ("alora_invocation_tokens", "token_indices", "trainable_token_indices"):
        given = config.get(key)
        for tokens in given.values() if isinstance(given, Mapping) else [given]:
            if isinstance(tokens, list):
                special += [token for token in tokens if isinstance(token, int)]
    return special


def put_on(source: Adapter, model: Any, name: str, saved: Mapping[str, torch.Tensor], fit: Fit) -> PeftModel:
    """Put the adapter on `model` under `name`, and prove that all of its tensors arrived.

    Raises:
        ModelError: it cannot be loaded, does not fit, or lost a tensor on the way.
    """
    device = str(model.device)
    try:
        if isinstance(model, PeftModel):
            model.load_adapter(str(source.folder), adapter_name=name, torch_device=device)
        else:
            if fit.resized:
                resize(model, fit.rows)
            model = PeftModel.from_pretrained(model, str(source.folder), adapter_name=name).to(device)
    except Exception as error:  # peft raises anything for a broken folder
        text = str(error)
        if "size mismatch" in text or "not found in the base model" in text:
            raise ModelError(_other_base(source, text)) from error
        raise ModelError(
            f"{source.name}: cannot be loaded: {type(error).__name__}: {first_line(error)}{_wrong_kind(source)}"
        ) from error
    if model.peft_config[name].is_prompt_learning:
        raise ModelError(
            f"{source.name}: this engine cannot run an adapter that learns a prompt; use LoRA or similar"
        )
    _check_arrived(source, model, name, saved)
    return model.eval()


@contextmanager
def with_adapter(model: Any, name: str) -> Iterator[None]:
    """The adapter `name` acts, and no other."""
    model.set_adapter(name)
    yield


@contextmanager
def without_adapter(model: Any) -> Iterator[None]:
    """No adapter acts. peft's warning of trained biases is silenced: `what_changed` proves whether they matter."""
    with ExitStack() as stack:
        if isinstance(model, PeftModel):
            with warnings.catch_warnings(action="ignore", category=UserWarning):
                stack.enter_context(model.disable_adapter())
        yield


def saved_tensors(source: Adapter) -> dict[str, torch.Tensor]:
    """The tensors of the adapter's file, on the CPU."""
    if not (source.folder / WEIGHTS).is_file():  # pickled, which the user allowed
        return dict(load_peft_weights(str(source.folder), device="cpu"))
    try:
        with safe_open(source.folder / WEIGHTS, framework="pt") as tensors:
            saved = {key: tensors.get_tensor(key) for key in tensors.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ModelError(f"{source.name}: {WEIGHTS} is damaged: {error}\n  {COPY}") from error
    if not saved:
        raise ModelError(f"{source.name}: {WEIGHTS} holds no tensors")
    return saved


def _check_arrived(source: Adapter, model: Any, name: str, saved: Mapping[str, torch.Tensor]) -> None:
    applied = _own_tensors(model, name)
    arrived = tensors_in_memory(model, name)
    # With new tokens, peft writes a module to save twice: under its own name and under its name in the base.
    saved = {key: tensor for key, tensor in saved.items() if not _written_twice(key, tensor, saved)}
    if stray := sorted(saved.keys() - arrived.keys()):
        counted = f"{len(stray)} of {len(saved)} tensors have no place in it, the first '{stray[0]}'"
        raise ModelError(_other_base(source, counted))
    if absent := sorted(applied.keys() - saved.keys()):
        raise ModelError(
            f"{source.name}: the adapter is incomplete: {len(absent)} tensors are missing, the first '{absent[0]}'"
        )
    for key, tensor in sorted(saved.items()):
        there = arrived[key]
        if there.shape == tensor.shape and not torch.equal(there.to("cpu", tensor.dtype), tensor):
            raise ModelError(f"{source.name}: the adapter's tensor '{key}' in memory differs from its file")


def tensors_in_memory(model: PeftModel, name: str) -> dict[str, torch.Tensor]:
    """The tensors of a model with the adapter `name`, those of the adapter under their names in its file; not copies."""
    # An adapter with new tokens brings whole embeddings, and those of a tied head twice.
    every = {key.removesuffix(f".{name}"): tensor for key, tensor in model.state_dict().items()}
    return every | _own_tensors(model, name)


def _own_tensors(model: PeftModel, name: str) -> dict[str, torch.Tensor]:
    # False: otherwise peft asks the hub whether the vocabulary was changed.
    return dict(get_peft_model_state_dict(model, adapter_name=name, save_embedding_layers=False))


def _written_twice(key: str, tensor: torch.Tensor, saved: Mapping[str, torch.Tensor]) -> bool:
    other = saved.get(key.replace(".modules_to_save.", "."))
    return ".modules_to_save." in key and other is not None and torch.equal(other, tensor)


def _other_base(source: Adapter, text: str) -> str:
    detail = next((line.strip() for line in text.splitlines() if "size mismatch" in line), first_line(text))
    return f"{source.name}: the adapter does not fit the base '{source.base.name}': was it trained on another?\n  {detail[:300]}"


def _wrong_kind(source: Adapter) -> str:
    """A line about the first value in the adapter's config whose type is not what peft expects; "" if there is none."""
    config = read_json(source.folder / ADAPTER_CONFIG)
    expected = get_type_hints(PEFT_TYPE_TO_CONFIG_MAPPING[PeftType(str(config["peft_type"]).upper())])
    for key, value in config.items():
        try:
            if key in expected and value is not None:
                TypeAdapter(expected[key]).validate_json(json.dumps(value), strict=True)
        except ValidationError:
            return f"\n  {ADAPTER_CONFIG}: '{key}' has a value of the wrong type: saw {value!r:.60}"
        except PydanticUserError:  # a type that only peft can check
            continue
    return ""
