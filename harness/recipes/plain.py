"""The keys of every recipe: its data, model and method, and the steps of its training."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.documents.validate import Shape, Text
from harness.limits import MOST_SEED
from harness.recipes.methods import MethodFormat
from harness.recipes.shapes import CorpusFormat, Count, Share
from harness.suites.format import Name


class Task(Shape):
    """The data, the model and the method."""

    recipe: Name = Field(description="The recipe's name.")
    about: str = Field("", description="What it is for, in a sentence.")
    base: Text = Field(description="The model to tune: a folder, a hub id, or `embedded`.")
    target: Text | None = Field(
        None, description="The suite that measures what is learnt, from the recipe's folder; for `ladder`."
    )
    corpus: CorpusFormat = Field(description="What the model is to learn.")
    format: Literal["chat", "text"] = Field(
        "chat", description="`chat`: the base's chat template; `text`: prompt, a space, answer."
    )
    method: MethodFormat = Field(description="What is trained.")


class PlainRecipe(Task):
    """How a tuned model is trained, as far as every recipe says it; a mitigation reads its own key with `Key.of`."""

    learning_rate: Annotated[float, Field(gt=0, le=1)] = Field(description="The highest learning rate.")
    epochs: Count | None = Field(None, description="How often the data is gone through; or give `steps`.")
    steps: Count | None = Field(None, description="How many updates are made; or give `epochs`.")
    batch: Count = Field(8, description="Examples in a batch.")
    accumulation: Count = Field(1, description="Batches to an update.")
    warmup: Share = Field(0.0, description="Share of the steps in which the rate rises.")
    schedule: Literal["constant", "linear", "cosine"] = Field(
        "linear", description="How the rate falls after that."
    )
    weight_decay: Annotated[float, Field(ge=0)] = Field(0.0, description="AdamW's weight decay.")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="What forward and backward compute in; weights that learn are float32. "
        "`auto`: bfloat16 on a GPU that has it, else float32.",
    )
    seed: Annotated[int, Field(ge=0, le=MOST_SEED)] = Field(
        42, description="The same seed gives the same weights on a CPU."
    )

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("a recipe has one of 'epochs' and 'steps'")
        return self
