"""Why two forms of one model answer differently: a sentence of evidence, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "template", "start token", "tokenizer", "end tokens", "dtype", "quantised", "rounded", "not applied", "applied twice",
    "scaled", "other base", "other adapter", "not saved", "tied", "other weights",
]  # fmt: skip


@dataclass(frozen=True)
class Cause:
    """What was found to differ between two forms.

    Attributes:
        kind: the word for it in a record.
        seen: the evidence, as a sentence without a full stop.
        remedy: what to do about it.
    """

    kind: Kind
    seen: str
    remedy: str
