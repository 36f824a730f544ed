"""OPLoRA: an adapter that leaves the strongest directions of each base weight as they are (Xiong and Xie 2026)."""

from __future__ import annotations

from harness.recipes.mitigations.mitigation import Cost, Key, KeyedMitigation
from harness.recipes.plain import PlainRecipe
from harness.recipes.shapes import Count


def _needs_lora(recipe: PlainRecipe) -> str | None:
    if recipe.method.lora is not None:
        return None
    return "needs 'method: {lora: ...}': it says where adapters may not write\n  choose that method, or leave it out"


OPLORA = KeyedMitigation(
    key=Key(
        "oplora",
        Count,
        "How many of the strongest directions of each base weight its adapter leaves alone (OPLoRA, arXiv 2510.13003).",
    ),
    name="orthogonal LoRA",
    cost=Cost.STEPS,
    published="adapters outside the strongest singular directions forgot less at like gains (OPLoRA, Xiong and Xie 2026)",
    phrase="the {:g} strongest directions of each weight stay",
    refuses=_needs_lora,
)
