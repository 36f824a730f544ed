"""A recipe's penalties in, Penalty objects over its general data out: what they hold is measured before training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.engine.requests import Engine
from harness.progress import Counter
from harness.recipes.mitigations import MITIGATIONS
from harness.recipes.mitigations.distill import DISTILL
from harness.recipes.mitigations.ewc import EWC
from harness.recipes.mitigations.mitigation import Mitigation
from harness.recipes.read import Recipe
from harness.recipes.shapes import GeneralFormat
from harness.training.encode import Collator, Row, encode
from harness.training.penalties import distillation, ewc
from harness.training.penalties.penalty import Penalty, Start, StartingPoint
from harness.training.rehearsal import answers

BUILD: Mapping[Mitigation, Callable[[Any, Start], Penalty]] = {
    EWC: ewc.build,
    DISTILL: distillation.build,
}
"""Of the penalties that are more than a distance of each weight from its start."""


def general_rows(recipe: Recipe, engine: Engine, tokenizer: Any, counter: Counter) -> dict[str, list[Row]]:
    """The tokens of the penalties' general data, by their kinds, answered by the model as it is before training."""
    rows = {}
    for mitigation, part in _penalties(recipe):
        if isinstance(part, GeneralFormat):
            key = mitigation.kind
            examples = recipe.general[key][: part.most()]
            given = answers(examples, part, recipe, engine, counter(f"{recipe.name}, {key}"))
            rows[key] = encode(tokenizer, given, recipe.written.format)
    return rows


def penalties(
    recipe: Recipe, model: Any, collator: Collator, rows: Mapping[str, list[Row]], counter: Counter
) -> list[Penalty]:
    """The penalties of a recipe, anchored at `model`, which is ready to train and still the baseline."""
    held: list[Penalty] = []
    for mitigation, part in _penalties(recipe):
        penalty = mitigation.penalty
        if penalty and penalty.distance:
            held.append(StartingPoint(model, penalty.strength_of(part), penalty.distance))
        else:
            start = Start(recipe, model, rows.get(mitigation.kind, []), collator, counter)
            held.append(BUILD[mitigation](part, start))
    return held


def _penalties(recipe: Recipe) -> list[tuple[Mitigation, Any]]:
    """The mitigations of a recipe that are penalties, each with the value of its key."""
    found = [(item, item.key.of(recipe.written)) for item in MITIGATIONS if item.penalty and item.key]
    return [(mitigation, part) for mitigation, part in found if part is not None]
