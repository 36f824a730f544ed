"""L2-SP: every weight is pulled back to its start, by the square of its distance."""

from __future__ import annotations

from harness.recipes.mitigations.mitigation import Cost, Penalty, by_penalty
from harness.recipes.shapes import Key, Weight

L2_SP = by_penalty(
    Key("l2_sp", Weight, "Hold all weights alike, with this weight (Li 2018): the control for `ewc`."),
    name="L2-SP",
    cost=Cost.COPY,
    published="weights held near their start transfer better than under plain weight decay (Li 2018); "
    "the control for EWC",
    # weight / 2 * sum (theta - theta*)^2 (Li 2018, eq. 2): EWC with the same importance everywhere.
    penalty=Penalty(holds="weights", distance=lambda now, start: (now - start).square() / 2),
)
