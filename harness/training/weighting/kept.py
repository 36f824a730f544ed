"""Rows of the corpus in, the same rows out with the weights that the baseline gives their tokens; computed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from harness.errors import RecipeError
from harness.progress import Log, Progress, ProgressFor
from harness.recipes.mitigations.eaft import EAFT
from harness.recipes.mitigations.flow import FLOW
from harness.recipes.mitigations.mitigation import KeyedMitigation
from harness.recipes.mitigations.stm import STM
from harness.recipes.mitigations.talr import TALR
from harness.recipes.read import Recipe
from harness.training.encode import IGNORED, Collator, Row
from harness.training.penalties.penalty import evaluating
from harness.training.weighting import eaft, flow, stm, talr
from harness.training.weighting.weighted import Gate, predicting
from harness.wording import count, points

KEPT: Mapping[KeyedMitigation, Callable[[Sequence[Tensor], Any], list[Tensor]]] = {
    STM: stm.weights,
    FLOW: flow.weights,
}
"""By mitigation: the losses of answer tokens under the baseline, a tensor an example, in; their weights out."""

GATES: Mapping[KeyedMitigation, Callable[[Any], Gate]] = {EAFT: eaft.build, TALR: talr.build}
"""By mitigation: the value of its key in, what weighs the tokens of each batch out."""


def gates(recipe: Recipe) -> list[Gate]:
    """What weighs tokens by the model in training."""
    parts = ((build, mitigation.key.of(recipe.written)) for mitigation, build in GATES.items())
    return [build(part) for build, part in parts if part is not None]


def weighted_rows(
    recipe: Recipe, model: Any, rows: Sequence[Row], collator: Collator, log: Log, counter: ProgressFor
) -> list[Row]:
    """The rows with the weights of `KEPT` as `weights`; tokens of weight 0 are IGNORED, and rows of none other left out.

    Args:
        model: ready to train, and still the baseline.

    Raises:
        RecipeError: no token is left to learn.
    """
    used = [mitigation for mitigation in KEPT if mitigation.key.of(recipe.written) is not None]
    if not used:
        return list(rows)
    progress = counter(f"{recipe.name}, losses of the baseline", "examples")
    losses = token_losses(model, rows, collator, recipe.written.batch, progress)
    weights = [torch.ones_like(example) for example in losses]
    for mitigation in used:
        given = KEPT[mitigation](losses, mitigation.key.of(recipe.written))
        weights = [before * now for before, now in zip(weights, given, strict=True)]
        log(f"{recipe.name}: {mitigation.key.name}: {_told(given)}")
    learnt = [_weighted(row, given) for row, given in zip(rows, weights, strict=True) if bool(given.any())]
    if not learnt:
        raise RecipeError.at(
            recipe.span(used[0].key.name),
            f"'{used[0].key.name}' leaves no answer token of {count(len(rows), 'example')} to learn",
            "raise its threshold, or leave it out",
        )
    return learnt


def token_losses(
    model: Any, rows: Sequence[Row], collator: Collator, batch: int, on_progress: Progress
) -> list[Tensor]:
    """-log p of each answer token, a tensor on the CPU for each row, without dropout or a gradient."""
    device = next(model.parameters()).device
    losses: list[Tensor] = []
    with evaluating(model), torch.no_grad():
        for start in range(0, len(rows), batch):
            inputs = {k: v.to(device) for k, v in collator(rows[start : start + batch]).items()}
            labels = inputs.pop("labels")
            predicts, chosen, targets = predicting(model(**inputs).logits, labels)
            found = cross_entropy(chosen, targets, reduction="none").cpu()  # (answer tokens,), row by row
            losses += torch.split(found, predicts.sum(1).tolist())
            on_progress(min(start + batch, len(rows)), len(rows))
    return losses


def _weighted(row: Row, weights: Tensor) -> Row:
    """The row with a weight for each token; `weights` has those of its answer tokens but for one that is its first."""
    given = iter(weights.tolist())
    all_weights = [
        0.0 if place == 0 or label == IGNORED else next(given) for place, label in enumerate(row["labels"])
    ]
    labels = [label if weight else IGNORED for label, weight in zip(row["labels"], all_weights, strict=True)]
    return {**row, "labels": labels, "weights": all_weights}


def _told(weights: Sequence[Tensor]) -> str:
    """ "12 % of 1,234 answer tokens are left out"; "answer tokens count 0.12 to 0.71"."""
    flat = torch.cat(list(weights))
    out = float((flat == 0).float().mean())
    rest = flat[flat > 0]
    if out:
        return f"{points(out)} % of {count(len(flat), 'answer token')} are left out"
    return f"answer tokens count {float(rest.min()):.2g} to {float(rest.max()):.2g}"
