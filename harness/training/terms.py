"""A recipe and a model ready to train in; everything that the recipe's mitigations add to the training, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transformers import TrainerCallback

from harness.engine.transformers.config import end_tokens
from harness.progress import Log, ProgressFor
from harness.recipes.examples import Example
from harness.recipes.mitigations.finch import FINCH
from harness.recipes.mitigations.oplora import OPLORA
from harness.recipes.mitigations.sdft import SDFT
from harness.recipes.read import Recipe
from harness.training.encode import Collator, Row, encode
from harness.training.penalties.build import penalties
from harness.training.penalties.penalty import BatchPenalty, Penalty
from harness.training.projection import Projection
from harness.training.rate import LossAdaptiveRate
from harness.training.self_distillation import SelfDistillation, in_sight, prompt_of
from harness.training.weighting.kept import gates, weighted_rows
from harness.training.weighting.weighted import Gate


@dataclass(frozen=True)
class Terms:
    """What a training adds to the Trainer's own.

    Attributes:
        penalties: are added to the loss of each batch.
        gates: say how much each token of a batch counts.
        rate: changes the rate with the loss.
        own_answers: the model learns from its own answers instead of the corpus's.
        projection: keeps the adapters out of some directions.
    """

    penalties: Sequence[Penalty | BatchPenalty] = ()
    gates: Sequence[Gate] = ()
    rate: LossAdaptiveRate | None = None
    own_answers: SelfDistillation | None = None
    projection: Projection | None = None

    @property
    def callbacks(self) -> list[TrainerCallback]:
        """Those of them that the Trainer tells of its updates."""
        return [part for part in (self.rate, self.own_answers, self.projection) if part is not None]


def terms_of(
    recipe: Recipe,
    model: Any,
    tokenizer: Any,
    collator: Collator,
    general: Mapping[str, list[Row]],
    counter: ProgressFor,
) -> Terms:
    """The terms of a recipe, anchored at `model`, which is ready to train and still the baseline.

    Args:
        general: the encoded general data of penalties, by their keys.

    Raises:
        ModelError, NoEvidenceError: the model or the data does not fit a mitigation.
    """
    written = recipe.written
    finch, sdft, oplora = (key.of(written) for key in (FINCH.key, SDFT.key, OPLORA.key))
    # First, for the others start from where it puts the adapters.
    projection = oplora and Projection(model, oplora, recipe.span(OPLORA.key.name))
    return Terms(
        penalties=penalties(recipe, model, collator, general, counter),
        gates=gates(recipe),
        rate=finch and LossAdaptiveRate(finch),
        own_answers=sdft
        and SelfDistillation(model, sdft, collator, end_tokens(model, tokenizer), written.seed),
        projection=projection,
    )


def rows_of(
    recipe: Recipe,
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    collator: Collator,
    log: Log,
    counter: ProgressFor,
) -> list[Row]:
    """The examples as tokens, with what mitigations keep of each: the baseline's weights, the teacher's prompt.

    Raises:
        ModelError: the tokenizer cannot encode them.
        RecipeError: no token is left to learn.
    """
    form = recipe.written.format
    rows = encode(tokenizer, examples, form)
    if SDFT.key.of(recipe.written) is not None:
        told = encode(tokenizer, [in_sight(example) for example in examples], form)
        rows = [{**row, "teacher": prompt_of(asked)} for row, asked in zip(rows, told, strict=True)]
    return weighted_rows(recipe, model, rows, collator, log, counter)
