"""TALR: tokens that the model finds unlikely count less, as a softmax of their losses has it (Lin 2025)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from harness.documents.validate import Shape
from harness.recipes.mitigations.mitigation import Cost, Key, KeyedMitigation
from harness.recipes.mitigations.sdft import needs_the_corpus
from harness.recipes.shapes import Weight


class TalrFormat(Shape):
    """A token counts its probability to the power of 1 / temperature (TALR, arXiv 2509.20758)."""

    temperature: Weight | None = Field(
        None, description="In nats per token; the median of the losses of a batch's examples unless given."
    )
    least: Annotated[float, Field(ge=0, le=1)] = Field(0.01, description="No token counts less than this.")


TALR = KeyedMitigation(
    key=Key("talr", TalrFormat, "Let tokens count less that the model finds unlikely."),
    settings=("least",),
    name="token reweighting",
    cost=Cost.STEPS,
    published="weighing hard tokens down balanced gain and loss better than L2, LoRA, averaging and FLOW (TALR, Lin 2025)",
    phrase="unlikely tokens count less, down to {:g}",
    more="lower",
    refuses=needs_the_corpus,
)
