"""The ways to train, one value each; a new one is a value here and a line in `harness.training.trainable`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar

from pydantic import Field, model_validator

from harness.documents.validate import Shape, Text
from harness.recipes.shapes import Count, Key, Share, with_keys

S = TypeVar("S")


@dataclass(frozen=True)
class UsualRates:
    """The lowest and the highest learning rate that is usual, and for what."""

    low: float
    high: float
    of: str


@dataclass(frozen=True, eq=False)
class Method(Generic[S]):
    """A way to train: which weights learn. `harness.training.trainable` prepares a model for each.

    Attributes:
        key: the key under `method` that chooses it.
        adapter: whether what learns lies beside the base's own weights, and can be switched off.
        rates: the usual learning rates, on a quantised base or not; None where no rule of thumb is known.
        freezes: what of the weights stays under the second and learns under the first; None if nothing does.
        is_partial: whether it leaves out weights that the method would train otherwise.
        partial_keys: the keys that choose which weights learn, by their places in a recipe.
    """

    key: Key[S]
    adapter: bool
    rates: Callable[[S, bool], UsualRates | None]
    freezes: Callable[[S, S], str | None]
    is_partial: Callable[[S], bool]
    partial_keys: tuple[str, ...]


# LoRA


class LoraFormat(Shape):
    """Low-rank adapters; the base weights stay as they are (Hu 2021)."""

    r: Count = Field(16, description="The rank of each adapter.")
    alpha: Count = Field(32, description="Adapters act with alpha / r.")
    dropout: Share = Field(0.0, description="Share of an adapter's inputs that is dropped in training.")
    target_modules: list[Text] | Literal["all-linear"] = Field(
        default=["q_proj", "v_proj"], min_length=1, description="Which modules get an adapter."
    )
    modules_to_save: list[Text] = Field(
        default=[], description="Modules that learn whole, beside the adapters; they can forget for good."
    )


def _lora_rates(lora: LoraFormat, quantised: bool) -> UsualRates:
    """The best rate is about ten times that of full fine-tuning (Schulman 2025)."""
    if quantised:
        return UsualRates(1e-4, 2e-4, "LoRA on a quantised base")
    return UsualRates(1e-4, 3e-4, "LoRA")


def _fewer_modules(old: LoraFormat, new: LoraFormat) -> str | None:
    if set(new.modules_to_save) < set(old.modules_to_save):
        return f"{', '.join(sorted(set(old.modules_to_save) - set(new.modules_to_save)))} stays"
    named = new.target_modules
    if named == "all-linear":
        return None
    if old.target_modules == "all-linear" or set(named) < set(old.target_modules):
        return f"adapters on {', '.join(named)} alone"
    return None


LORA: Method[LoraFormat] = Method(
    key=Key("lora", LoraFormat, "Train low-rank adapters beside frozen weights."),
    adapter=True,
    rates=_lora_rates,
    freezes=_fewer_modules,
    is_partial=lambda lora: False,
    partial_keys=("method.lora.target_modules", "method.lora.modules_to_save"),
)


# Full fine-tuning


class FullFormat(Shape):
    """The weights themselves learn: all of them, or a part."""

    last_layers: Count | None = Field(
        None, description="Only the last so many layers, the last norm and a head of its own learn."
    )
    biases_only: bool = Field(False, description="Only biases learn (BitFit, Ben Zaken 2022).")
    freeze_embeddings: bool = Field(False, description="The embeddings, and a head tied to them, stay.")

    @model_validator(mode="after")
    def _is_one_part(self) -> Self:
        if self.biases_only and (self.last_layers or self.freeze_embeddings):
            raise ValueError(
                "'biases_only' leaves nothing for 'last_layers' or 'freeze_embeddings' to choose"
            )
        return self


def _full_rates(full: FullFormat, quantised: bool) -> UsualRates | None:
    if full.last_layers or full.biases_only:
        return None  # no rule of thumb is known for a part of the weights
    return UsualRates(1e-5, 2e-5, "full fine-tuning")


def _frozen_weights(old: FullFormat, new: FullFormat) -> str | None:
    if new.biases_only and not old.biases_only:
        return "only the biases learn"
    if new.last_layers and not old.biases_only and (not old.last_layers or new.last_layers < old.last_layers):
        layers = "layer learns" if new.last_layers == 1 else f"{new.last_layers} layers learn"
        return f"only the last {layers}"
    if new.freeze_embeddings and not (old.freeze_embeddings or old.biases_only or old.last_layers):
        return "the embeddings stay"
    return None


FULL: Method[FullFormat] = Method(
    key=Key("full", FullFormat, "Train the weights themselves."),
    adapter=False,
    rates=_full_rates,
    freezes=_frozen_weights,
    is_partial=lambda full: bool(full.biases_only or full.last_layers or full.freeze_embeddings),
    partial_keys=("method.full",),
)


# The choice of one


METHODS: tuple[Method[Any], ...] = (LORA, FULL)


class OneMethod(Shape):
    """What is trained: `{lora: {...}}` or `{full: {...}}`."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(_given(self)) != 1:
            raise ValueError(
                f"a method is one of {' and '.join(repr(method.key.name) for method in METHODS)}"
            )
        return self


if TYPE_CHECKING:  # the keys are those of METHODS, and read through them: LORA.key.of(...)
    MethodFormat = OneMethod
else:
    MethodFormat = with_keys("MethodFormat", OneMethod, [method.key for method in METHODS])


def method_of(written: OneMethod) -> Method[Any]:
    """The method that a recipe has chosen."""
    (method,) = _given(written)
    return method


def _given(written: OneMethod) -> list[Method[Any]]:
    return [method for method in METHODS if method.key.of(written) is not None]
