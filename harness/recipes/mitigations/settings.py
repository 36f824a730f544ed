"""Mitigations that are other values of what every recipe has: LoRA, a lower rate, fewer steps, frozen parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.recipes.mitigations.mitigation import Cost, Mitigation
from harness.recipes.plain import PlainRecipe


@dataclass(frozen=True, eq=False, kw_only=True)
class _Setting(Mitigation):
    cost: Cost = Cost.SETTING
    compare: Callable[[PlainRecipe, PlainRecipe], str | None]

    def adds(self, old: PlainRecipe, new: PlainRecipe) -> str | None:
        return self.compare(old, new)


def _adapters(old: PlainRecipe, new: PlainRecipe) -> str | None:
    if new.method.lora is None or old.method.chosen.is_adapter:
        return None
    return f"adapters of rank {new.method.lora.r} instead of the weights themselves"


def _lower_rate(old: PlainRecipe, new: PlainRecipe) -> str | None:
    # The best rates of LoRA and of full fine-tuning differ tenfold, so they compare within a method only.
    if not _same_method(old, new) or new.learning_rate >= old.learning_rate:
        return None
    return f"{_written(new.learning_rate)} instead of {_written(old.learning_rate)}"


def _written(rate: float) -> str:
    """As people write it: "2e-4"."""
    if rate >= 0.01:
        return f"{rate:g}"
    digits, _, exponent = f"{rate:e}".partition("e")
    return f"{float(digits):g}e{int(exponent)}"


def _fewer_steps(old: PlainRecipe, new: PlainRecipe) -> str | None:
    if new.epochs and old.epochs and new.epochs < old.epochs:
        epochs = "1 epoch" if new.epochs == 1 else f"{new.epochs} epochs"
        return f"{epochs} instead of {old.epochs}"
    if new.steps and old.steps and new.steps < old.steps:
        return f"{new.steps} steps instead of {old.steps}"
    return None


def _frozen(old: PlainRecipe, new: PlainRecipe) -> str | None:
    return new.method.chosen.freezes(old.method.chosen) if _same_method(old, new) else None


def _same_method(old: PlainRecipe, new: PlainRecipe) -> bool:
    return type(old.method.chosen) is type(new.method.chosen)


ADAPTERS = _Setting(
    name="LoRA",
    published="it learns less and forgets less than full fine-tuning (Biderman 2024)",
    compare=_adapters,
    settings=("method",),
)
LOWER_RATE = _Setting(
    name="a lower rate",
    published="a higher peak rate learns more and forgets more (Ibrahim 2024)",
    compare=_lower_rate,
    settings=("learning_rate",),
)
FEWER_STEPS = _Setting(
    name="fewer epochs",
    published="the longer the training, the more is forgotten (Biderman 2024)",
    compare=_fewer_steps,
    settings=("epochs", "steps"),
)
FROZEN = _Setting(
    name="frozen parts",
    published="freezing the lower layers kept much of what full fine-tuning loses (Zheng 2025)",
    compare=_frozen,
    settings=("method.lora.target_modules", "method.lora.modules_to_save", "method.full"),
)
