"""Mitigations that are other values of what every recipe has: LoRA, a lower rate, fewer steps, frozen parts."""

from __future__ import annotations

from harness.recipes.methods import LORA, METHODS, method_of
from harness.recipes.mitigations.mitigation import Cost, Mitigation
from harness.recipes.plain import PlainRecipe


def _adapters(old: PlainRecipe, new: PlainRecipe) -> str | None:
    lora = LORA.key.of(new.method)
    if lora is None or method_of(old.method).adapter:
        return None
    return f"adapters of rank {lora.r} instead of the weights themselves"


ADAPTERS = Mitigation(
    kind="lora",
    name="LoRA",
    cost=Cost.SETTING,
    published="it learns less and forgets less than full fine-tuning (Biderman 2024)",
    adds=_adapters,
    shows_in=("method",),
    has=lambda recipe: LORA.key.of(recipe.method) is not None,
)


def _lower_rate(old: PlainRecipe, new: PlainRecipe) -> str | None:
    # The best rates of LoRA and of full fine-tuning differ tenfold, so they compare within a method only.
    if method_of(new.method) is not method_of(old.method) or new.learning_rate >= old.learning_rate:
        return None
    return f"{_written(new.learning_rate)} instead of {_written(old.learning_rate)}"


def _written(rate: float) -> str:
    """As people write it: "2e-4"."""
    if rate >= 0.01:
        return f"{rate:g}"
    digits, _, exponent = f"{rate:e}".partition("e")
    return f"{float(digits):g}e{int(exponent)}"


LOWER_RATE = Mitigation(
    kind="rate",
    name="a lower rate",
    cost=Cost.SETTING,
    published="a higher peak rate learns more and forgets more (Ibrahim 2024)",
    adds=_lower_rate,
    shows_in=("learning_rate",),
)


def _fewer_steps(old: PlainRecipe, new: PlainRecipe) -> str | None:
    if new.epochs and old.epochs and new.epochs < old.epochs:
        epochs = "1 epoch" if new.epochs == 1 else f"{new.epochs} epochs"
        return f"{epochs} instead of {old.epochs}"
    if new.steps and old.steps and new.steps < old.steps:
        return f"{new.steps} steps instead of {old.steps}"
    return None


FEWER_STEPS = Mitigation(
    kind="steps",
    name="fewer epochs",
    cost=Cost.SETTING,
    published="the longer the training, the more is forgotten (Biderman 2024)",
    adds=_fewer_steps,
    shows_in=("epochs", "steps"),
)


def _frozen(old: PlainRecipe, new: PlainRecipe) -> str | None:
    method = method_of(new.method)
    if method is not method_of(old.method):
        return None
    return method.freezes(method.key.of(old.method), method.key.of(new.method))


def _is_partial(recipe: PlainRecipe) -> bool:
    method = method_of(recipe.method)
    return method.is_partial(method.key.of(recipe.method))


FROZEN = Mitigation(
    kind="frozen",
    name="frozen parts",
    cost=Cost.SETTING,
    published="freezing the lower layers kept much of what full fine-tuning loses (Zheng 2025)",
    adds=_frozen,
    shows_in=tuple(key for method in METHODS for key in method.partial_keys),
    has=_is_partial,
)
