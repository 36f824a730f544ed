"""A loaded model in, the fastest way to ask it that is proven right out: by branching, from a cache, or whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from transformers import DynamicCache, cache_utils

from harness.engine.batching import EXACT, Budget
from harness.engine.pace import Pace
from harness.engine.transformers.branching import Branching
from harness.engine.transformers.device import dtype_name, unrounded
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

BUDGET = 768
"""A small batch, so that proof rows take several passes."""

WRITTEN = 4
"""Tokens that a proof writes after each row."""

STEPS = 20
"""Tokens that a proof reads one by one from a cache; the errors of some models grow with them."""

ROTATED_BY_LENGTH = {"longrope", "dynamic"}
"""Rotary embeddings that turn all tokens of a pass otherwise if its longest row exceeds a length."""

TOLERANCE = {torch.float32: 1e-3}
"""How much log-probabilities may differ, as a share of the spread of logits; other shapes are rounded differently."""
COARSE = 0.1
"""The same for smaller floats."""

KEEPS_PAIRS = tuple(
    getattr(cache_utils, name)
    for name in ("DynamicLayer", "DynamicSlidingWindowLayer", "DummyLayer")
    if hasattr(cache_utils, name)  # the last is since transformers 5.20
)
"""What keeps keys and values of a layer, or nothing."""

CANNOT_BE_ASKED = (*CANNOT_COMPUTE, NotFinite, NotImplementedError)
"""What is raised where a model cannot be asked in some way."""


def way_of(kind: Kind, forward: Forward, budget: Budget) -> Way:
    """How requests go through a model."""
    if kind == "branching":
        # In smaller floats, the shape of a batch may decide which token is the likeliest.
        exact = dtype_name(forward.model) in EXACT
        return Branching(forward, budget, steady=not exact or torch.is_autocast_enabled(forward.device.type))
    return Plain(forward, budget, cached=kind == "cached")


def find_kind(model: Any) -> Kind:
    """The first kind whose log-probabilities and written tokens are those of single rows without a cache."""
    forward = Forward(model)
    row = probe_rows(model)[0]
    rows = _rows(row)
    with quiet(), unrounded():
        if _branches(forward.config) and _proven(way_of("branching", forward, Budget(BUDGET)), forward, rows):
            return "branching"
        alike = [row[: STEPS + 2], row[::-1][: STEPS + 2]]
        cached = _steps_alike(forward, alike) and _proven(
            way_of("cached", forward, Budget(BUDGET)), forward, rows
        )
        return "cached" if cached else "whole"


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
    return all(type(layer) in KEEPS_PAIRS for layer in layers)


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
def _proven(way: Way, forward: Forward, rows: Sequence[Row]) -> bool:
    """Whether a way gives what a model computes for each row alone."""
    ways = Ways(lambda tokens, skip: "", Marks())
    answers = [Writing(ways, Limits(WRITTEN, WRITTEN, WRITTEN), {}, {}) for _ in rows]
    found: dict[int, tuple[float, bool]] = {}
    try:
        way.likelihoods([(row[:-2], row[-2:]) for row in rows], found.update, Pace())
        way.write(rows, answers, lambda ended: None, Pace())
        whole = logits_of(
            forward.model, [[*row, *answer.tokens] for row, answer in zip(rows, answers, strict=True)]
        )
    except CANNOT_BE_ASKED:
        return False
    for index, (row, logits) in enumerate(zip(rows, whole, strict=True)):
        known, allowed = _known(logits[0])
        value = sum(float(known[place - 1, row[place]]) for place in (len(row) - 2, len(row) - 1))
        if not abs(found[index][0] - value) <= allowed:
            return False
        for place, token in enumerate(answers[index].tokens, start=len(row)):
            if not float(known[place - 1].max() - known[place - 1, token]) <= allowed:
                return False
    return True


@torch.inference_mode()
def _steps_alike(forward: Forward, rows: Sequence[Row]) -> bool:
    """Whether rows of one length, read token by token from a cache, give the logits of each row alone."""
    try:
        whole = logits_of(forward.model, rows)
        logits, state = forward.after([row[:2] for row in rows], {})
        for length in range(2, len(rows[0])):
            for own, alone in zip(logits, whole, strict=True):
                known, allowed = _known(alone[0, length - 1])
                stepped, _ = _known(own.cpu())
                if not bool(((stepped - known).abs() <= allowed).all()):
                    return False
            logits, state = forward.after([row[: length + 1] for row in rows], state)
    except CANNOT_BE_ASKED:
        return False
    return True


def _known(logits: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Log-probabilities by logits, (..., vocabulary), and how much they may differ."""
    share = TOLERANCE.get(logits.dtype, COARSE)
    return torch.log_softmax(logits.float(), dim=-1), share * max(1.0, float(logits.float().std()))
