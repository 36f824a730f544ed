"""A recipe's penalties in, Penalty objects over its general data out: what they hold is measured before training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from harness.engine.transformers.engine import TorchEngine
from harness.recipes.format import DistillFormat, EwcFormat
from harness.recipes.read import Recipe
from harness.training.encode import Collator, Row, encode
from harness.training.penalties.ewc import EWCRegularizer
from harness.training.penalties.penalty import L2SP, Distillation, Penalty, frozen_copy, switched_off
from harness.training.rehearsal import answers


class Counter(Protocol):
    """Gives a callback (done, total) for work that has a name and a unit."""

    def __call__(self, label: str, unit: str = ..., /) -> Callable[[int, int], None]: ...


def general_rows(recipe: Recipe, engine: TorchEngine, counter: Counter) -> dict[str, list[Row]]:
    """The tokens of the general data of `ewc` and `distill`, answered by the model as it is before training."""
    rows = {}
    for key, part in recipe.written.general().items():
        if key != "replay":
            examples = recipe.general[key]
            if isinstance(part, EwcFormat):
                examples = examples[: part.examples]
            given = answers(examples, part, recipe, engine, counter(f"{recipe.name}, {key}"))
            rows[key] = encode(engine.tokenizer, given, recipe.written.format)
    return rows


def penalties(
    recipe: Recipe, model: Any, pad_token: int, rows: dict[str, list[Row]], counter: Counter
) -> list[Penalty]:
    """The penalties of a recipe, anchored at `model`, which is ready to train and still the baseline."""
    written = recipe.written
    collator = Collator(pad_token)
    held: list[Penalty] = []
    if written.ewc:
        held.append(_ewc(recipe, written.ewc, model, collator, rows["ewc"], counter))
    if written.l2_sp:
        held.append(L2SP(model, written.l2_sp))
    if written.distill:
        held.append(_distillation(recipe, written.distill, model, collator, rows["distill"]))
    return held


def _ewc(
    recipe: Recipe, part: EwcFormat, model: Any, collator: Collator, rows: list[Row], counter: Counter
) -> EWCRegularizer:
    show = counter(f"{recipe.name}, Fisher information", "examples")

    def batches() -> Any:
        for done, row in enumerate(rows, start=1):
            yield {name: value.to(model.device) for name, value in collator([row]).items()}
            show(done, len(rows))

    ewc = EWCRegularizer(model, part.importance, variant=part.variant, seed=recipe.written.seed)
    ewc.update_fisher(model, batches())
    return ewc


def _distillation(
    recipe: Recipe, part: DistillFormat, model: Any, collator: Collator, rows: list[Row]
) -> Distillation:
    teacher = switched_off(model) if recipe.written.method.lora else frozen_copy(model)
    return Distillation(
        rows, collator, teacher, part.weight, part.temperature, part.batch, recipe.written.seed
    )
