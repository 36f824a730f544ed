"""The ways to forget less, most of them a file each; a new one is a file here and its line in MITIGATIONS.

The keys of recipes and their schema, the comparison of recipes, `advise`, the recommendation of a sweep and the penalties
of a training come from this table.
"""

from harness.recipes.mitigations.distill import DISTILL
from harness.recipes.mitigations.eaft import EAFT
from harness.recipes.mitigations.ewc import EWC
from harness.recipes.mitigations.finch import FINCH
from harness.recipes.mitigations.flow import FLOW
from harness.recipes.mitigations.l2_sp import L2_SP
from harness.recipes.mitigations.masked_kl import MASKED_KL
from harness.recipes.mitigations.mitigation import Mitigation
from harness.recipes.mitigations.oplora import OPLORA
from harness.recipes.mitigations.replay import REPLAY, SELF_REPLAY
from harness.recipes.mitigations.sdft import SDFT
from harness.recipes.mitigations.settings import ADAPTERS, FEWER_STEPS, FROZEN, LOWER_RATE
from harness.recipes.mitigations.stm import STM
from harness.recipes.mitigations.talr import TALR

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
    MASKED_KL,
    STM,
    FLOW,
    EAFT,
    TALR,
    FINCH,
    OPLORA,
    SDFT,
)
"""In the order of their keys in a recipe; those of equal cost are named to people in this order too."""

LEAST_COSTLY_FIRST = tuple(sorted(MITIGATIONS, key=lambda mitigation: mitigation.cost))
"""The order in which they are named to people."""

WEIGHS = (STM, FLOW, EAFT, TALR)
"""Those that let some tokens of the corpus count less than others."""
