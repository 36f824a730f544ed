"""FINCH: the rate falls where the loss is high, as a step's forgetting grows with both (Prashant 2026)."""

from __future__ import annotations

from pydantic import Field

from harness.documents.validate import Shape
from harness.recipes.mitigations.mitigation import Cost, Key, KeyedMitigation
from harness.recipes.shapes import Share, Weight


class FinchFormat(Shape):
    """A rate in inverse proportion to the root of the smoothed loss (FINCH, arXiv 2605.20005)."""

    at_loss: Weight = Field(
        1.0,
        description="The loss, in nats per token, at which the rate is `learning_rate`; above it, it is less.",
    )
    smoothing: Share = Field(0.9, description="How much the loss so far counts in its moving average.")
    most: Weight = Field(1.0, description="How many times `learning_rate` the rate is at most.")


FINCH = KeyedMitigation(
    key=Key("finch", FinchFormat, "Take smaller steps where the loss is high."),
    settings=("at_loss",),
    name="loss-adaptive rate",
    cost=Cost.STEPS,
    published="rates in inverse proportion to the root of the loss cut forgetting by 93 % at like gains "
    "(FINCH, Prashant 2026)",
    phrase="the rate falls above a loss of {:g}",
    more="lower",
)
