"""The ways to train, a class each; a new one is a class here, its key in MethodFormat and a line in `PREPARE` of
`harness.training.trainable`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from harness.documents.validate import Shape, Text
from harness.recipes.shapes import Count, Share


@dataclass(frozen=True)
class UsualRates:
    """The lowest and the highest learning rate that is usual, and for what."""

    low: float
    high: float
    of: str


class Method(Shape):
    """A way to train: which weights learn."""

    is_adapter: ClassVar[bool] = False
    """Whether the weights that learn lie beside the base's own, and can be switched off."""

    def usual_rates(self, quantised: bool) -> UsualRates | None:
        """The usual learning rates on a base that is `quantised` or not; None where no rule of thumb is known."""
        return None

    def freezes(self, old: Any) -> str | None:
        """What this one freezes and `old`, of the same method, trains, in words; None if nothing."""
        return None


class LoraFormat(Method):
    """Low-rank adapters; the base weights stay as they are (Hu 2021)."""

    is_adapter = True
    r: Count = Field(16, description="The rank of each adapter.")
    alpha: Count = Field(32, description="Adapters act with alpha / r.")
    dropout: Share = Field(0.0, description="Share of an adapter's inputs that is dropped in training.")
    target_modules: list[Text] | Literal["all-linear"] = Field(
        default=["q_proj", "v_proj"], min_length=1, description="Which modules get an adapter."
    )
    modules_to_save: list[Text] = Field(
        default=[], description="Modules that learn whole, beside the adapters; they can forget for good."
    )

    def usual_rates(self, quantised: bool) -> UsualRates:
        """About ten times those of full fine-tuning (Schulman 2025)."""
        if quantised:
            return UsualRates(1e-4, 2e-4, "LoRA on a quantised base")
        return UsualRates(1e-4, 3e-4, "LoRA")

    def freezes(self, old: LoraFormat) -> str | None:
        if set(self.modules_to_save) < set(old.modules_to_save):
            return f"{', '.join(sorted(set(old.modules_to_save) - set(self.modules_to_save)))} stays"
        named = self.target_modules
        if named == "all-linear":
            return None
        if old.target_modules == "all-linear" or set(named) < set(old.target_modules):
            return f"adapters on {', '.join(named)} alone"
        return None


class FullFormat(Method):
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

    def usual_rates(self, quantised: bool) -> UsualRates | None:
        """Of all weights; for a part of them no rule of thumb is known."""
        part = self.last_layers or self.biases_only
        return None if part else UsualRates(1e-5, 2e-5, "full fine-tuning")

    def freezes(self, old: FullFormat) -> str | None:
        if self.biases_only and not old.biases_only:
            return "only the biases learn"
        if (
            self.last_layers
            and not old.biases_only
            and (not old.last_layers or self.last_layers < old.last_layers)
        ):
            layers = "layer learns" if self.last_layers == 1 else f"{self.last_layers} layers learn"
            return f"only the last {layers}"
        if self.freeze_embeddings and not (old.freeze_embeddings or old.biases_only or old.last_layers):
            return "the embeddings stay"
        return None


class MethodFormat(Shape):
    """What is trained: `{lora: {...}}` or `{full: {...}}`."""

    lora: LoraFormat | None = Field(None, description="Train low-rank adapters beside frozen weights.")
    full: FullFormat | None = Field(None, description="Train the weights themselves.")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self._given()) != 1:
            raise ValueError(f"a method is one of {' and '.join(map(repr, type(self).model_fields))}")
        return self

    @property
    def chosen(self) -> Method:
        """The one that is given."""
        return self._given()[0]

    def _given(self) -> list[Method]:
        return [part for _, part in self if part is not None]
