"""A recipe in, what the rules of thumb say against it out: where, what was seen, and why it matters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from harness.errors import Problem
from harness.recipes.read import Recipe

FULL_RATES = (1e-5, 2e-5)
LORA_RATES = (1e-4, 3e-4)
QUANTISED_LORA_RATES = (1e-4, 2e-4)
"""The usual learning rates; the best LoRA rate is about ten times that of full fine-tuning (Schulman 2025)."""

MANY_EPOCHS = 3
FEW_EXAMPLES = 1000


def advise(recipe: Recipe, base: Path | None = None) -> list[Problem]:
    """What to think about before training.

    Args:
        base: the folder of the base model, whose config.json tells whether it is quantised; None if unknown.
    """
    return [
        *_rate(recipe, base),
        *_epochs(recipe),
        *_warmup(recipe),
        *_modules_to_save(recipe),
        *_lora_held(recipe),
    ]


def _rate(recipe: Recipe, base: Path | None) -> Iterator[Problem]:
    written = recipe.written
    full = written.method.full
    if full is not None and (full.last_layers or full.biases_only):
        return  # no rule of thumb is known for a part of the weights
    if full is not None:
        (low, high), method = FULL_RATES, "full fine-tuning"
    elif base is not None and _is_quantised(base):
        (low, high), method = QUANTISED_LORA_RATES, "LoRA on a quantised base"
    else:
        (low, high), method = LORA_RATES, "LoRA"
    rate, span = written.learning_rate, recipe.span("learning_rate")
    usual = f"{low:g} to {high:g} is usual for {method}"
    if rate > high:
        yield Problem(
            span, f"learning_rate {rate:g} is high: {usual}", "the larger the steps, the more is overwritten"
        )
    elif rate < low:
        yield Problem(
            span, f"learning_rate {rate:g} is low: {usual}", "little may be learnt; look at the loss curve"
        )


def _epochs(recipe: Recipe) -> Iterator[Problem]:
    epochs, examples = recipe.written.epochs, len(recipe.examples)
    if recipe.written.steps is not None:
        seen = recipe.written.steps * recipe.written.batch * recipe.written.accumulation
        epochs = seen // max(1, examples)
    if epochs is not None and epochs > MANY_EPOCHS and examples < FEW_EXAMPLES:
        yield Problem(
            recipe.span("epochs" if recipe.written.epochs else "steps"),
            f"{epochs} epochs over {examples} examples are many: {MANY_EPOCHS} are usual",
            "few examples seen often are learnt by heart, and at the cost of the rest",
        )


def _warmup(recipe: Recipe) -> Iterator[Problem]:
    if recipe.written.warmup == 0:
        yield Problem(
            recipe.span("warmup"),
            "there is no warmup: 0.03 to 0.1 is usual",
            "Adam's first steps are its largest, before it has seen how gradients vary",
        )


def _modules_to_save(recipe: Recipe) -> Iterator[Problem]:
    lora = recipe.written.method.lora
    if lora is not None and lora.modules_to_save:
        yield Problem(
            recipe.span("method", "lora", "modules_to_save"),
            f"modules_to_save trains {', '.join(lora.modules_to_save)} whole, beside the adapters",
            "such a module can forget as much as under full fine-tuning; leave it out unless tokens were added",
        )


def _lora_held(recipe: Recipe) -> Iterator[Problem]:
    written = recipe.written
    if written.method.lora is not None and (written.ewc or written.l2_sp):
        key = "ewc" if written.ewc else "l2_sp"
        yield Problem(
            recipe.span(key),
            f"{key} holds what learns at its start, and under LoRA that is the adapter, not the model",
            "an adapter starts as random numbers; distill holds what the model says, whatever learns",
        )


def _is_quantised(base: Path) -> bool:
    try:
        config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return "quantization_config" in config
