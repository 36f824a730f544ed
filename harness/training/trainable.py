"""Which parameters of a model learn, as a recipe's method says; and a fingerprint that proves the others unchanged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from peft import LoraConfig, get_peft_model

from harness.engine.transformers.fingerprint import fingerprint
from harness.errors import ModelError
from harness.recipes.methods import FullFormat, LoraFormat, Method
from harness.recipes.read import Recipe


def prepare(model: Any, recipe: Recipe) -> Any:
    """The model to train: exactly the parameters that the recipe's method names learn.

    Raises:
        ModelError: the method finds nothing to train in this model.
    """
    method = recipe.written.method.chosen
    return PREPARE[type(method)](model, method, recipe)


def _with_lora(model: Any, lora: LoraFormat, recipe: Recipe) -> Any:
    config = LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.target_modules,
        modules_to_save=lora.modules_to_save or None,
        task_type="CAUSAL_LM",
    )
    try:
        model = get_peft_model(model, config)
    except ValueError as error:
        raise ModelError(
            f"{recipe.span('method', 'lora', 'target_modules')}: the base has none of the target_modules: "
            f"{str(error)[:200]}"
        ) from error
    thawed = [
        name
        for name, value in model.named_parameters()
        if value.requires_grad and "lora_" not in name and ".modules_to_save." not in name
    ]
    assert not thawed, f"LoRA would train base weights: {thawed[:3]}"
    return model


def _in_full(model: Any, full: FullFormat, recipe: Recipe) -> Any:
    # A head that is tied to the embeddings is the same parameter, and comes under the embeddings' name.
    embeddings = {id(parameter) for parameter in model.get_input_embeddings().parameters()}
    chosen = {name for name, _ in model.named_parameters()}
    if full.last_layers:
        chosen = set(_last(model, full.last_layers, recipe))
    elif full.biases_only:
        chosen = {name for name in chosen if name.endswith("bias")}
    for name, parameter in model.named_parameters():
        stays = (full.freeze_embeddings or full.last_layers) and id(parameter) in embeddings
        parameter.requires_grad_(name in chosen and not stays)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ModelError(f"{recipe.span('method', 'full')}: the base has no biases, so nothing would learn")
    return model


def _last(model: Any, count: int, recipe: Recipe) -> list[str]:
    """Names of the parameters of the last layers and of everything after them."""
    names = [name for name, _ in model.named_parameters()]
    layers = int(model.config.get_text_config().num_hidden_layers)
    place = recipe.span("method", "full", "last_layers")
    if count > layers:
        raise ModelError(f"{place}: the base has {layers} layers, saw {count}")
    first = next((index for index, name in enumerate(names) if f".{layers - count}." in name), None)
    if first is None:
        raise ModelError(f"{place}: the base's layers cannot be told apart")
    return names[first:]


PREPARE: Mapping[type[Method], Callable[[Any, Any, Recipe], Any]] = {
    LoraFormat: _with_lora,
    FullFormat: _in_full,
}
"""By method: the model, the method and the recipe in, the model ready to train out."""


def frozen_fingerprint(model: Any) -> str:
    """SHA-256 over the bytes of every parameter that does not learn, to compare before and after training."""
    return fingerprint(
        (name, parameter) for name, parameter in model.named_parameters() if not parameter.requires_grad
    )
