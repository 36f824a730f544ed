"""Distillation: what the model says of general prompts stays near what the baseline would say."""

from __future__ import annotations

from pydantic import Field

from harness.recipes.mitigations.mitigation import Cost, Penalty, by_penalty
from harness.recipes.shapes import Count, GeneralFormat, Key, Weight


class DistillFormat(GeneralFormat):
    """Stay near the baseline's own distribution on general prompts (Li and Hoiem 2016)."""

    weight: Weight = Field(1.0, description="How much staying counts against learning.")
    temperature: Weight = Field(1.0, description="Softens both distributions (Hinton 2015).")
    batch: Count = Field(4, description="General examples beside each batch of the corpus.")


DISTILL = by_penalty(
    Key("distill", DistillFormat, "Stay near what the baseline would say."),
    name="distillation",
    cost=Cost.TEACHER,
    published="holding to the old model's outputs kept old tasks without their data (Li and Hoiem 2016)",
    penalty=Penalty(holds="outputs", strength="weight"),
)
