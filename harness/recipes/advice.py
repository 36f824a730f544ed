"""A recipe in, the rules of thumb that it breaks out: where, how, and why it matters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.errors import ModelError, Problem
from harness.models.json_file import read_json
from harness.models.layout import CONFIG
from harness.recipes.mitigations import WEIGHS
from harness.recipes.read import Recipe

MANY_EPOCHS = 3
FEW_EXAMPLES = 1000


def advise(recipe: Recipe, base: Path | None = None) -> list[Problem]:
    """The rules of thumb that a recipe breaks.

    Args:
        base: the folder of the base model, whose config.json says whether it is quantised; None if unknown.
    """
    return [
        *_rate(recipe, base),
        *_epochs(recipe),
        *_warmup(recipe),
        *_modules_to_save(recipe),
        *_held_adapter(recipe),
        *_weights(recipe),
        *_lengths(recipe),
    ]


def _rate(recipe: Recipe, base: Path | None) -> Iterator[Problem]:
    rates = recipe.written.method.chosen.usual_rates(base is not None and _is_quantised(base))
    rate = recipe.written.learning_rate
    if rates is None or rates.low <= rate <= rates.high:
        return
    size, why = "low", "little may be learnt; look at the loss curve"
    if rate > rates.high:
        size, why = "high", "the larger the steps, the more is overwritten"
    usual = f"{rates.low:g} to {rates.high:g} is usual for {rates.of}"
    yield Problem(recipe.span("learning_rate"), f"learning_rate {rate:g} is {size}: {usual}", why)


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


def _held_adapter(recipe: Recipe) -> Iterator[Problem]:
    held = [penalty.key.name for penalty, _ in recipe.written.penalties() if penalty.holds == "weights"]
    if held and recipe.written.method.chosen.is_adapter:
        yield Problem(  # once is enough
            recipe.span(held[0]),
            f"{held[0]} holds what learns at its start, and under LoRA that is the adapter, not the model",
            "an adapter starts as random numbers; distill holds what the model says, whatever learns",
        )


def _weights(recipe: Recipe) -> Iterator[Problem]:
    used = [mitigation.key.name for mitigation in WEIGHS if mitigation.key.of(recipe.written) is not None]
    if len(used) > 1:
        yield Problem(
            recipe.span(used[-1]),
            f"{', '.join(used[:-1])} and {used[-1]} each let tokens count less, and their weights multiply",
            "little may be learnt; try them one by one",
        )


def _lengths(recipe: Recipe) -> Iterator[Problem]:
    for key, part in recipe.written.general().items():
        if part.answered and part.max_new_tokens != type(part).model_fields["max_new_tokens"].default:
            yield Problem(
                recipe.span(key, "max_new_tokens"),
                f"max_new_tokens has no effect on the answers of {part.file}",
                "it limits those of the baseline; write answers: baseline, or leave it out",
            )


def _is_quantised(base: Path) -> bool:
    try:
        return "quantization_config" in read_json(base / CONFIG)
    except ModelError:
        return False
