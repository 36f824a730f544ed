"""The ways to forget less, most of them a file each; a new one is a file here and its line in MITIGATIONS.

From the table come the keys of recipes and their schema, the comparison of two recipes, what is untried, `advise`, a
ladder's recommendation, and the penalties of a training.
"""

from harness.recipes.mitigations.distill import DISTILL
from harness.recipes.mitigations.ewc import EWC
from harness.recipes.mitigations.l2_sp import L2_SP
from harness.recipes.mitigations.mitigation import Mitigation
from harness.recipes.mitigations.replay import REPLAY, SELF_REPLAY
from harness.recipes.mitigations.settings import ADAPTERS, FEWER_STEPS, FROZEN, LOWER_RATE

MITIGATIONS: tuple[Mitigation, ...] = (
    ADAPTERS,
    LOWER_RATE,
    FEWER_STEPS,
    FROZEN,
    REPLAY,
    SELF_REPLAY,
    EWC,
    L2_SP,
    DISTILL,
)
"""In the order of their keys in a recipe."""

LEAST_COSTLY_FIRST = tuple(sorted(MITIGATIONS, key=lambda mitigation: mitigation.cost))
"""The order in which they are named to people."""
