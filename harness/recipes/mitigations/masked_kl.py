"""Masked-target KL: among all tokens but the right one, the model keeps the baseline's preferences (Xu 2026)."""

from __future__ import annotations

from pydantic import Field

from harness.documents.validate import Shape
from harness.recipes.mitigations.mitigation import Cost, Key, PenaltyMitigation
from harness.recipes.mitigations.sdft import needs_the_corpus
from harness.recipes.shapes import Weight


class MaskedKlFormat(Shape):
    """Stay near the baseline on the corpus itself, leaving out the token to learn (arXiv 2605.29498)."""

    weight: Weight = Field(1.0, description="How much staying counts against learning.")
    temperature: Weight = Field(1.0, description="Softens both distributions (Hinton 2015).")


MASKED_KL = PenaltyMitigation(
    key=Key("masked_kl", MaskedKlFormat, "Keep the baseline's preferences among the tokens not learnt."),
    settings=("weight",),
    name="masked-target KL",
    cost=Cost.TEACHER,
    published="a KL divergence without the target token improved learning against forgetting for four kinds of LoRA "
    "(Xu 2026)",
    holds="outputs",
    refuses=needs_the_corpus,
)
