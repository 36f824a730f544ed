"""A recipe's penalties in, Penalty objects out, anchored at the baseline before training begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.engine.requests import Engine
from harness.progress import Log, ProgressFor
from harness.recipes.mitigations.distill import DISTILL
from harness.recipes.mitigations.ewc import EWC
from harness.recipes.mitigations.masked_kl import MASKED_KL
from harness.recipes.mitigations.mitigation import Mitigation
from harness.recipes.read import Recipe
from harness.recipes.shapes import GeneralFormat
from harness.training.encode import Collator, Row, encode
from harness.training.penalties import distillation, ewc, masked_kl
from harness.training.penalties.penalty import BatchPenalty, Penalty, Start, StartingPoint
from harness.training.rehearsal import answers

BUILD: Mapping[Mitigation, Callable[[Any, Start], Penalty | BatchPenalty]] = {
    EWC: ewc.build,
    DISTILL: distillation.build,
    MASKED_KL: masked_kl.build,
}
"""How to build the penalties that are more than a distance of each weight from its start."""


def general_rows(
    recipe: Recipe, engine: Engine, tokenizer: Any, log: Log, counter: ProgressFor
) -> dict[str, list[Row]]:
    """The tokens of the penalties' general data, by their keys, with answers of the model before training."""
    rows = {}
    for mitigation, part in recipe.written.penalties():
        if isinstance(part, GeneralFormat):
            key = mitigation.key.name
            examples = recipe.general[key][: part.most()]
            given = answers(examples, key, recipe, engine, log, counter(f"{recipe.name}, {key}"))
            rows[key] = encode(tokenizer, [each for each in given if each], recipe.written.format)
    return rows


def penalties(
    recipe: Recipe, model: Any, collator: Collator, rows: Mapping[str, list[Row]], counter: ProgressFor
) -> list[Penalty | BatchPenalty]:
    """The penalties of a recipe, anchored at `model`, which is ready to train and still the baseline."""
    built: list[Penalty | BatchPenalty] = []
    for mitigation, part in recipe.written.penalties():
        if mitigation.distance:
            built.append(StartingPoint(model, mitigation.strength(part), mitigation.distance))
        else:
            start = Start(recipe, model, rows.get(mitigation.key.name, []), collator, counter)
            built.append(BUILD[mitigation](part, start))
    return built
