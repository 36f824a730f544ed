"""Selective token masking: answer tokens that surprise the baseline are not learnt (Wu 2025)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from harness.documents.validate import Shape
from harness.recipes.mitigations.mitigation import Cost, Key, KeyedMitigation
from harness.recipes.mitigations.sdft import needs_the_corpus


class StmFormat(Shape):
    """Learn only the tokens that the baseline finds likely (STM, arXiv 2501.14315)."""

    threshold: Annotated[float, Field(gt=1)] = Field(
        2.5, description="Tokens of a higher perplexity under the baseline, 1 / p, are not learnt."
    )


STM = KeyedMitigation(
    key=Key("stm", StmFormat, "Learn no token that surprises the baseline."),
    settings=("threshold",),
    name="token masking",
    cost=Cost.STEPS,
    published="masking tokens of a perplexity over 2.5 kept other tasks as training on a model's own answers does "
    "(STM, Wu 2025)",
    phrase="no token of a perplexity over {:g}",
    more="lower",
    refuses=needs_the_corpus,
)
