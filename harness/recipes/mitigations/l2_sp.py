"""L2-SP: every weight is pulled back to its start, by the square of its distance."""

from __future__ import annotations

from harness.recipes.mitigations.mitigation import Cost, Key, PenaltyMitigation
from harness.recipes.shapes import Weight

L2_SP = PenaltyMitigation(
    key=Key("l2_sp", Weight, "Hold all weights alike, with this weight (Li 2018): the control for `ewc`."),
    name="L2-SP",
    cost=Cost.COPY,
    published="weights held near their start transfer better than under plain weight decay (Li 2018); "
    "the control for EWC",
    holds="weights",
    # weight / 2 * sum (theta - theta*)^2 (Li 2018, eq. 2): EWC with the same importance everywhere.
    distance=lambda now, start: (now - start).square() / 2,
)
