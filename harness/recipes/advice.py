"""A recipe in, what the rules of thumb say against it out: where, what was seen, and why it matters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.errors import ModelError, Problem
from harness.models.json_file import read_json
from harness.models.layout import CONFIG
from harness.recipes.methods import LORA, method_of
from harness.recipes.mitigations import MITIGATIONS
from harness.recipes.read import Recipe

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
        *_adapter_held(recipe),
    ]


def _rate(recipe: Recipe, base: Path | None) -> Iterator[Problem]:
    method = method_of(recipe.written.method)
    rates = method.rates(method.key.of(recipe.written.method), base is not None and _is_quantised(base))
    if rates is None:
        return
    rate, span = recipe.written.learning_rate, recipe.span("learning_rate")
    usual = f"{rates.low:g} to {rates.high:g} is usual for {rates.of}"
    if rate > rates.high:
        yield Problem(
            span, f"learning_rate {rate:g} is high: {usual}", "the larger the steps, the more is overwritten"
        )
    elif rate < rates.low:
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
    lora = LORA.key.of(recipe.written.method)
    if lora is not None and lora.modules_to_save:
        yield Problem(
            recipe.span("method", "lora", "modules_to_save"),
            f"modules_to_save trains {', '.join(lora.modules_to_save)} whole, beside the adapters",
            "such a module can forget as much as under full fine-tuning; leave it out unless tokens were added",
        )


def _adapter_held(recipe: Recipe) -> Iterator[Problem]:
    if not method_of(recipe.written.method).adapter:
        return
    for mitigation in MITIGATIONS:
        if mitigation.penalty and mitigation.penalty.holds == "weights" and mitigation.has(recipe.written):
            yield Problem(
                recipe.span(mitigation.kind),
                f"{mitigation.kind} holds what learns at its start, and under LoRA that is the adapter, not the model",
                "an adapter starts as random numbers; distill holds what the model says, whatever learns",
            )
            return  # once is enough


def _is_quantised(base: Path) -> bool:
    try:
        return "quantization_config" in read_json(base / CONFIG)
    except ModelError:
        return False
