"""SDFT: the model learns from itself with the example in sight, on answers of its own (Shenfeld 2026)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.documents.validate import Shape
from harness.recipes.mitigations.mitigation import Cost, Key, KeyedMitigation
from harness.recipes.plain import PlainRecipe
from harness.recipes.shapes import Count, Share, Weight


class SdftFormat(Shape):
    """Answer the corpus's prompts, and come near what a teacher with the example in its prompt would say (arXiv 2601.19897)."""

    max_new_tokens: Count = Field(64, description="The longest answer of the model's own.")
    temperature: Weight = Field(1.0, description="Of drawing its answers.")
    divergence: Literal["forward", "reverse"] = Field(
        "forward",
        description="KL(teacher || student), as the paper trained, or KL(student || teacher), as it derives.",
    )
    teacher_rate: Share = Field(
        0.01, description="How far the teacher's weights follow at each update; 0: it stays the baseline."
    )
    skip: Annotated[int, Field(ge=0)] = Field(
        3,
        description="So many first tokens of an answer teach nothing, for there the teacher refers to its example.",
    )


SDFT: KeyedMitigation = KeyedMitigation(
    key=Key("sdft", SdftFormat, "Learn from the model's own answers, with itself as the teacher."),
    name="self-distillation",
    cost=Cost.ROLLOUTS,
    published="taught by itself with the example in sight, a model of 7B learnt more than by its words and kept nearly all; "
    "one of 3B learnt less (SDFT, Shenfeld 2026)",
    phrase="its own answers, taught by itself with the example in sight",
)


def needs_the_corpus(recipe: PlainRecipe) -> str | None:
    """Why a recipe with `sdft` cannot have a mitigation that works on the corpus's answers."""
    if SDFT.key.of(recipe) is None:
        return None
    return "works on the corpus's answers, and under 'sdft' the model learns from its own\n  leave out one of the two"
