"""A model and a recipe's method in, the model out with exactly those parameters learning; and proof of the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from peft import LoraConfig, get_peft_model

from harness.engine.transformers.fingerprint import fingerprint
from harness.errors import ModelError
from harness.recipes.methods import FULL, LORA, FullFormat, LoraFormat, Method, method_of
from harness.recipes.read import Recipe


def prepare(model: Any, recipe: Recipe) -> Any:
    """The model to train: what the recipe's method names learns, in float32, and nothing else does.

    Raises:
        ModelError: the method finds nothing in this model to train.
    """
    method = method_of(recipe.written.method)
    return PREPARE[method](model, method.key.of(recipe.written.method), recipe)


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


def _choose(model: Any, full: FullFormat, recipe: Recipe) -> Any:
    embeddings = {id(parameter) for parameter in model.get_input_embeddings().parameters()}
    chosen = set(_last(model, full.last_layers, recipe)) if full.last_layers else None
    for name, parameter in model.named_parameters():
        learns = chosen is None or name in chosen
        if full.biases_only:
            learns = name.endswith("bias")
        if (full.freeze_embeddings or chosen is not None) and id(parameter) in embeddings:
            learns = False
        parameter.requires_grad_(learns)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ModelError(f"{recipe.span('method', 'full')}: the base has no biases, so nothing would learn")
    return model


def _last(model: Any, count: int, recipe: Recipe) -> Iterator[str]:
    """Names of the parameters of the last layers and of all that comes after them."""
    names = [name for name, _ in model.named_parameters()]
    layers = int(model.config.get_text_config().num_hidden_layers)
    if count > layers:
        raise ModelError(
            f"{recipe.span('method', 'full', 'last_layers')}: the base has {layers} layers, saw {count}"
        )
    first = [name for name in names if f".{layers - count}." in name]
    if not first:
        raise ModelError(
            f"{recipe.span('method', 'full', 'last_layers')}: the base's layers cannot be told apart"
        )
    return iter(names[names.index(first[0]) :])


PREPARE: Mapping[Method[Any], Callable[[Any, Any, Recipe], Any]] = {LORA: _with_lora, FULL: _choose}
"""How each method prepares a model: the model, the method's part of the recipe and the recipe in, the model out."""


def frozen_fingerprint(model: Any) -> str:
    """SHA-256 over the bytes of every parameter that does not learn; equal before and after means bit-identical."""
    return fingerprint(
        (name, parameter) for name, parameter in model.named_parameters() if not parameter.requires_grad
    )
