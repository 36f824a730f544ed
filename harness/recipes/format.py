"""The shape of a recipe file: every key, what it may hold and what it means."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.documents.validate import Part, Shape, Text
from harness.suites.format import Name

Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(gt=0)]
Answers = Literal["corpus", "baseline"]


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


class MethodFormat(Shape):
    """What is trained: `{lora: {...}}` or `{full: {...}}`."""

    lora: LoraFormat | None = Field(None, description="Train low-rank adapters beside frozen weights.")
    full: FullFormat | None = Field(None, description="Train the weights themselves.")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.lora is None) == (self.full is None):
            raise ValueError("a method is one of 'lora' and 'full'")
        return self


class CorpusFormat(Shape):
    """Prompts and answers to train on: a JSON Lines file with `prompt` and `answer`."""

    file: Text = Field(description="The file, from the recipe's folder.")
    split: Text | None = Field(None, description="Only the lines whose `split` is this.")
    limit: Count | None = Field(None, description="Only the first so many of these.")


class GeneralFormat(CorpusFormat):
    """General data that stands for what must not be forgotten."""

    answers: Answers = Field("corpus", description="Whose answers: the file's, or the baseline's own.")
    max_new_tokens: Count = Field(64, description="The longest answer of the baseline's own.")


class ReplayFormat(GeneralFormat):
    """General data mixed in, so that training on the narrow task does not overwrite the rest."""

    fraction: Annotated[float, Field(gt=0, lt=1)] = Field(0.1, description="Share of the mixed data, 0 to 1.")


class EwcFormat(GeneralFormat):
    """Elastic weight consolidation: weights that matter for the general data are held (Kirkpatrick 2017)."""

    importance: Weight = Field(description="Lambda: how much staying counts against learning.")
    variant: Literal["empirical", "sampled"] = Field(
        "empirical",
        description="Whose words the Fisher information takes: the data's, or drawn from the model.",
    )
    examples: Count = Field(64, description="How many examples the Fisher information is estimated from.")


class DistillFormat(GeneralFormat):
    """Stay near the baseline's own distribution on general prompts (Li and Hoiem 2016)."""

    weight: Weight = Field(1.0, description="How much staying counts against learning.")
    temperature: Weight = Field(1.0, description="Softens both distributions (Hinton 2015).")
    batch: Count = Field(4, description="General examples beside each batch of the corpus.")


class RecipeFormat(Shape):
    """How a tuned model is trained."""

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
    replay: ReplayFormat | None = Field(None, description="General data mixed into the corpus.")
    ewc: EwcFormat | None = Field(None, description="Hold the weights that matter for general data.")
    l2_sp: Weight | None = Field(
        None, description="Hold all weights alike, with this weight (Li 2018): the control for `ewc`."
    )
    distill: DistillFormat | None = Field(None, description="Stay near what the baseline would say.")
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
    seed: Annotated[int, Field(ge=0)] = Field(
        42, description="The same seed gives the same weights on a CPU."
    )

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("a recipe has one of 'epochs' and 'steps'")
        return self

    def general(self) -> dict[str, GeneralFormat]:
        """The parts that bring general data, by their keys."""
        parts = {"replay": self.replay, "ewc": self.ewc, "distill": self.distill}
        return {key: part for key, part in parts.items() if part is not None}


PARTS = {
    "": Part("a recipe", RecipeFormat),
    "corpus": Part("a corpus", CorpusFormat),
    "replay": Part("the replay", ReplayFormat),
    "ewc": Part("ewc", EwcFormat),
    "distill": Part("distill", DistillFormat),
    "method": Part("the method", MethodFormat),
    "lora": Part("lora", LoraFormat),
    "full": Part("full", FullFormat),
}
