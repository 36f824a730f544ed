"""The shapes that parts of a recipe share: bounded numbers, and data sets of prompts and answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.documents.validate import Shape, Text

Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(gt=0)]
Answers = Literal["corpus", "baseline"]


class CorpusFormat(Shape):
    """Prompts and answers to train on: `prompt` and `answer`, or the columns of another tool's data."""

    file: Text = Field(
        description="A .jsonl, .json, .csv, .tsv or .parquet file, or the folder of a saved data set, from the recipe's folder."
    )
    split: Text | None = Field(
        None,
        description="Only the rows whose `split` is this; of a data set, the split, `train` unless given.",
    )
    limit: Count | None = Field(None, description="Only the first so many of these.")

    @property
    def answered(self) -> bool:
        """Whether the answers of the file are used."""
        return True


class GeneralFormat(CorpusFormat):
    """General data that stands for what must not be forgotten."""

    answers: Answers = Field("corpus", description="Whose answers: the file's, or the baseline's own.")
    max_new_tokens: Count = Field(64, description="The longest answer of the baseline's own.")

    @property
    def answered(self) -> bool:
        return self.answers == "corpus"

    def most(self) -> int | None:
        """How many of the examples are used, the first ones; None for all of them."""
        return None
