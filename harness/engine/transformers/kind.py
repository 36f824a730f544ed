"""A loaded model in, the fastest way to ask it that is proven right out: by branching, from a cache, or whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from harness.engine.batching import Budget
from harness.engine.pace import Pace
from harness.engine.transformers.branching import Branching
from harness.engine.transformers.forward import Forward, NotFinite, Way
from harness.engine.transformers.plain import Plain
from harness.engine.transformers.proof import CANNOT_COMPUTE, Row, logits_of, probe_rows
from harness.engine.transformers.quiet import quiet
from harness.engine.transformers.reasoning import Marks
from harness.engine.transformers.writing import Limits, Ways, Writing

Kind = Literal["branching", "cached", "whole"]
"""How a model is asked.

`branching`: what requests have in common is read once, which takes an attention that can branch. `cached`: rows of one length
side by side, for recurrent models and others. `whole`: each row alone and from its beginning at every step, for models without a
cache and adapters that depend on where in the text they were invoked.
"""

BUDGET = 256
"""A small batch, so that proof rows take several passes."""

STEPS = 12
"""Tokens that a proof writes after each row; some models differ only after several."""

ROTATED_BY_LENGTH = {"longrope", "dynamic"}
"""Rotary embeddings that turn all tokens of a pass otherwise if its longest row exceeds a length."""

TOLERANCE = {torch.float32: 1e-3}
"""How much log-probabilities may differ, as a share of the spread of logits; other shapes are rounded differently."""
COARSE = 0.1
"""The same for smaller floats."""


def way_of(kind: Kind, forward: Forward, budget: Budget) -> Way:
    """How requests go through a model."""
    if kind == "branching":
        # In smaller floats than float32, the shape of a batch may decide which token is the likeliest.
        return Branching(forward, budget, steady=forward.model.dtype != torch.float32)
    return Plain(forward, budget, cached=kind == "cached")


def find_kind(model: Any) -> Kind:
    """The first kind whose log-probabilities and written tokens are those of single rows without a cache."""
    forward = Forward(model)
    rows = _rows(probe_rows(model)[0])
    with quiet():
        if _branches(forward.config) and _proven(way_of("branching", forward, Budget(BUDGET)), model, rows):
            return "branching"
        return "cached" if _proven(way_of("cached", forward, Budget(BUDGET)), model, rows) else "whole"


def _rows(row: Row) -> list[Row]:
    """Rows with common beginnings of several lengths, rows without, and rows of one length."""
    alike = (row[3:], row[2:-1], row[::-1][:-3])
    return [row[:20], [*row[:20], *row[25:29]], [*row[:9], *row[:12]], row[:12], *alike]


def _branches(config: Any) -> bool:
    """Whether all that its layers keep of the tokens before is their keys and values, and these depend on nothing else."""
    if getattr(config, "attn_temperature_tuning", False):  # by the place in a pass, not by positions
        return False
    try:
        layers = DynamicCache(config=config).layers
    except Exception:  # a class with a config of its own, which is left to the proof
        return True
    return all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers)


def longest_alike(config: Any) -> int | None:
    """The longest row that a model computes like a shorter one, in tokens; longer ones must be read alone. None for any."""
    given = getattr(config, "rope_parameters", None) or {}
    parts = [given, *(part for part in given.values() if isinstance(part, dict))]
    rotated = [part for part in parts if part.get("rope_type") in ROTATED_BY_LENGTH]
    if not rotated:
        return None
    whole = getattr(config, "original_max_position_embeddings", None) or config.max_position_embeddings
    return min(int(part.get("original_max_position_embeddings") or whole) for part in rotated)


@torch.inference_mode()
def _proven(way: Way, model: Any, rows: Sequence[Row]) -> bool:
    """Whether a way gives what a model computes for each row alone."""
    ways = Ways(lambda tokens, skip: "", Marks())
    answers = [Writing(ways, Limits(STEPS, STEPS, STEPS), {}, {}) for _ in rows]
    found: dict[int, tuple[float, bool]] = {}
    try:
        way.likelihoods([(row[:-2], row[-2:]) for row in rows], found.update, Pace())
        way.write(rows, answers, lambda ended: None, Pace())
        whole = logits_of(model, [[*row, *answer.tokens] for row, answer in zip(rows, answers, strict=True)])
    except (*CANNOT_COMPUTE, NotFinite, NotImplementedError, AssertionError):
        return False
    share = TOLERANCE.get(model.dtype, COARSE)
    for index, (row, logits) in enumerate(zip(rows, whole, strict=True)):
        known = torch.log_softmax(logits[0].float(), dim=-1)  # (row and answer, vocabulary)
        allowed = share * max(1.0, float(logits.float().std()))
        value = sum(float(known[place - 1, row[place]]) for place in (len(row) - 2, len(row) - 1))
        if not abs(found[index][0] - value) <= allowed:
            return False
        for place, token in enumerate(answers[index].tokens, start=len(row)):
            if not float(known[place - 1].max() - known[place - 1, token]) <= allowed:
                return False
    return True
