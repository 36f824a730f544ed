"""Distillation: the model's answers to general prompts stay near the baseline's."""

from __future__ import annotations

from pydantic import Field

from harness.recipes.mitigations.mitigation import Cost, Key, PenaltyMitigation
from harness.recipes.shapes import Count, GeneralFormat, Weight


class DistillFormat(GeneralFormat):
    """Stay near the baseline's own distribution on general prompts (Li and Hoiem 2016)."""

    weight: Weight = Field(1.0, description="How much staying counts against learning.")
    temperature: Weight = Field(1.0, description="Softens both distributions (Hinton 2015).")
    batch: Count = Field(4, description="General examples beside each batch of the corpus.")


DISTILL = PenaltyMitigation(
    key=Key("distill", DistillFormat, "Stay near what the baseline would say."),
    settings=("weight",),
    name="distillation",
    cost=Cost.TEACHER,
    published="holding to the old model's outputs kept old tasks without their data (Li and Hoiem 2016)",
    holds="outputs",
)
