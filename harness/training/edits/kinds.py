"""The kinds of adapter that stay adapters when their strength changes: which of their tensors to change for that.

The change of a base weight is linear in one of its factors, so that a factor times a gives a times the change:
`base + a (merged - base)`, as WiSE-FT, at every a. Scaled values are read alike by every program, which a scaled
`lora_alpha` is not: some take whole numbers only, and none but peft an `alpha_pattern`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A kind of adapter.

    Attributes:
        prefix: begins a step in the name of each of its own tensors.
        factors: the step in the names of those in which the change is linear.
        rest: their value at strength 0.
    """

    prefix: str
    factors: tuple[str, ...]
    rest: float = 0.0


KINDS: Mapping[str, Kind] = {
    "LORA": Kind("lora_", ("lora_B", "lora_embedding_B")),
    "ADALORA": Kind("lora_", ("lora_E",)),
    "LOHA": Kind("hada_", ("hada_w1_a",)),
    "LOKR": Kind("lokr_", ("lokr_w1", "lokr_w1_a")),
    "IA3": Kind("ia3_", ("ia3_l",), rest=1.0),
    "VERA": Kind("vera_", ("vera_lambda_b",)),
    "FOURIERFT": Kind("fourierft_", ("fourierft_spectrum",)),
    "SHIRA": Kind("shira_", ("shira_weight",)),
    "C3A": Kind("c3a_", ("c3a_kernel",)),
    "HIRA": Kind("hira_", ("hira_B", "hira_embedding_B")),
}
"""By `peft_type`."""

VARIANTS = (
    "use_dora", "arrow_config", "monteclora_config", "kasa_config", "velora_config", "corda_config", "lora_ga_config", "loftq_config",
    "trainable_token_indices",
)  # fmt: skip
"""Keys of an adapter's config that, with a value, make the change not linear, or change the base too."""

LINEAR_STARTS = (True, False, None, "gaussian", "eva", "orthogonal")
"""Ways to begin a LoRA that leave the base as it was; others, such as PiSSA, take a part out of it."""

UNMERGED = ("alora_invocation_tokens", "layer_replication")
"""Keys of a config with which an adapter cannot be merged: it acts in some places only, or layers share their base."""


def linear_kind(config: Mapping[str, Any]) -> Kind | None:
    """The kind of an adapter whose strength can change, by its config; None if it would have to be merged for that."""
    kind = KINDS.get(str(config.get("peft_type", "")).upper())
    if any(config.get(key) for key in VARIANTS) or config.get("init_lora_weights") not in LINEAR_STARTS:
        return None
    return kind


def role(name: str, kind: Kind) -> str:
    """ "factor", "fixed" or, for a tensor that takes the place of one of the base, "whole"."""
    steps = name.split(".")
    if any(step in kind.factors for step in steps):
        return "factor"
    return "fixed" if any(step.startswith(kind.prefix) for step in steps) else "whole"
