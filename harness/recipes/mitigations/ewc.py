"""Elastic weight consolidation: each weight is held by how much the general data depends on it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.recipes.mitigations.mitigation import Cost, Key, PenaltyMitigation
from harness.recipes.shapes import Count, GeneralFormat, Weight


class EwcFormat(GeneralFormat):
    """Elastic weight consolidation: weights that matter for the general data are held (Kirkpatrick 2017)."""

    importance: Weight = Field(description="Lambda: how much staying counts against learning.")
    variant: Literal["empirical", "sampled"] = Field(
        "empirical",
        description="Whose words the Fisher information takes: the data's, or drawn from the model.",
    )
    examples: Count = Field(64, description="How many examples the Fisher information is estimated from.")

    def most(self) -> int:
        return self.examples


EWC = PenaltyMitigation(
    key=Key("ewc", EwcFormat, "Hold the weights that matter for general data."),
    settings=("importance",),
    name="EWC",
    cost=Cost.FISHER,
    published="holding the weights that matter kept earlier tasks that plain training lost (Kirkpatrick 2017)",
    holds="weights",
)
