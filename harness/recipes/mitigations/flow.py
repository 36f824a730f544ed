"""FLOW: examples that the baseline finds easy count more than those it finds hard (Sanyal 2025)."""

from __future__ import annotations

from pydantic import Field

from harness.documents.validate import Shape
from harness.recipes.mitigations.mitigation import Cost, Key, KeyedMitigation
from harness.recipes.mitigations.sdft import needs_the_corpus
from harness.recipes.shapes import Weight


class FlowFormat(Shape):
    """An example counts exp(-loss / temperature), by its loss under the baseline (FLOW, arXiv 2502.02797)."""

    temperature: Weight | None = Field(
        None, description="In nats per token; the median of the examples' losses unless given."
    )


FLOW = KeyedMitigation(
    key=Key("flow", FlowFormat, "Let easy examples count more than hard ones."),
    name="sample weights",
    cost=Cost.STEPS,
    published="weighing easy samples up kept 5 % more of general accuracy than plain training (FLOW, Sanyal 2025)",
    phrase="easy examples count more",
    refuses=needs_the_corpus,
)
