"""A Recipe in, a trained model in the cache folder out; the same recipe, data and base are trained once."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import set_seed

from harness.engine.settings import Settings
from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.loading import Loader
from harness.engine.transformers.products import fast_products
from harness.engine.transformers.quiet import quiet
from harness.errors import ModelError
from harness.models.cache import cache_folder
from harness.models.identity import identities
from harness.models.making import make_once
from harness.models.reference import (
    FullModel,
    LocalModel,
    Model,
    ModelPair,
    find_full_model,
)
from harness.progress import Log, ProgressFor
from harness.recipes.advice import advise
from harness.recipes.read import Recipe, base_reference
from harness.training.edits.written import saved_dtype
from harness.training.encode import Collator
from harness.training.penalties.build import general_rows
from harness.training.rehearsal import training_data
from harness.training.terms import rows_of, terms_of
from harness.training.trainable import frozen_fingerprint, prepare
from harness.training.trained import DONE, keep_known, recipe_key, sources_of
from harness.training.trainer import fit, last_checkpoint, rising, updates
from harness.wording import count


def trained_sources(
    recipe: Recipe, baseline: str | None, settings: Settings, log: Log, counter: ProgressFor
) -> ModelPair[Model, LocalModel]:
    """The pair that the gate compares, with the recipe trained unless that was done before.

    Raises:
        RecipeError, ModelError: the recipe cannot be trained.
    """
    base = find_full_model(base_reference(recipe), settings.allowed)
    folder = train(recipe, base, settings, log, counter)
    return sources_of(recipe, base, folder, baseline, settings)


def train(recipe: Recipe, base: FullModel, settings: Settings, log: Log, counter: ProgressFor) -> Path:
    """The folder of the trained model; a training that was killed goes on from its last checkpoint."""
    # Weights that learn are float32: in bfloat16, small updates would be rounded away.
    adapter = recipe.written.method.chosen.is_adapter
    loader = Loader(settings if adapter else replace(settings, dtype="float32"), log)
    engine = loader.engine(base)  # converts the embedded model, whose content is part of the key
    trained_on = identities(base.folder)
    key = recipe_key(recipe, trained_on, loader.device.type, str(_dtype(recipe, base, engine)))[:16]
    folder = cache_folder() / "trained" / f"{recipe.name}-{key}"

    def make(unfinished: Path) -> dict[str, Any]:
        try:
            with quiet(), fast_products(loader.device):
                done = _train_into(unfinished, recipe, base, engine, log, counter)
        except ModelError:  # it would end the same way again
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        for checkpoint in unfinished.glob("checkpoint-*"):
            shutil.rmtree(checkpoint)
        return {**done, "base": trained_on}

    if not make_once(folder, recipe.name, DONE, "trained", make, log, _goes_on):
        log(f"{recipe.name}: trained before, kept in {folder}")
    keep_known(recipe, trained_on, settings, key)
    return folder


def _goes_on(unfinished: Path) -> bool:
    """Whether a training that was killed left a checkpoint in its folder."""
    return last_checkpoint(unfinished) is not None


def _train_into(
    folder: Path, recipe: Recipe, base: FullModel, engine: TorchEngine, log: Log, counter: ProgressFor
) -> dict[str, Any]:
    """Train the model and save it; returns what `DONE` says of the training."""
    written, began = recipe.written, time.monotonic()
    for problem in advise(recipe, base.folder):
        log(str(problem))
    examples = training_data(recipe, engine, log, counter(f"{recipe.name}, self-replay"))
    tokenizer, collator = engine.tokenizer, Collator(engine.pad_token)
    general = general_rows(recipe, engine, tokenizer, log, counter)
    set_seed(written.seed)
    model = prepare(engine.model, recipe)
    before = frozen_fingerprint(model)
    terms = terms_of(recipe, model, tokenizer, collator, general, counter)
    rows = rows_of(recipe, model, tokenizer, examples, collator, log, counter)
    resumed, steps = _goes_on(folder), updates(recipe, len(rows))
    log(
        f"{recipe.name}: training on {len(rows)} examples, {steps} steps at a rate of "
        f"{written.learning_rate:g}{', going on from a checkpoint' if resumed else ''}"
    )
    if written.warmup and not rising(recipe, steps):
        log(
            f"{recipe.span('warmup')}: a warmup of {written.warmup:g} of {count(steps, 'step')} rounds to none"
        )
    use_cache, model.config.use_cache = model.config.use_cache, False
    curve = fit(model, recipe, rows, terms, collator, folder, counter(f"{recipe.name}, training", "steps"))
    seconds = time.monotonic() - began
    if frozen_fingerprint(model) != before:
        raise ModelError(
            f"{recipe.path}: weights that should be frozen changed in training; nothing was kept"
        )
    log(f"{recipe.name}: loss {sparkline([entry['loss'] for entry in curve])}")
    model.config.use_cache = use_cache
    (model if written.method.chosen.is_adapter else model.to(_dtype(recipe, base, engine))).save_pretrained(
        folder
    )
    tokenizer.save_pretrained(folder)
    return {
        "recipe": written.model_dump(mode="json"),
        "curve": curve,
        "frozen": before,
        "seconds": None if resumed else round(seconds, 1),
    }


def _dtype(recipe: Recipe, base: FullModel, engine: TorchEngine) -> torch.dtype:
    """The dtype of the base beside an adapter; of a full model that of its saved base, so that both sides compute alike."""
    loaded: torch.dtype = engine.model.dtype
    return loaded if recipe.written.method.chosen.is_adapter else saved_dtype(base.folder) or loaded


BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(losses: list[float], width: int = 32) -> str:
    """A loss curve in one line: the first loss, a bar for each part of the training, the last loss."""
    parts = [losses[i * len(losses) // width : (i + 1) * len(losses) // width] for i in range(width)]
    means = [sum(part) / len(part) for part in parts if part]
    low, high = min(means), max(means)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    bars = "".join(BLOCKS[round((mean - low) * scale)] for mean in means)
    return f"{losses[0]:.2f} {bars} {losses[-1]:.2f}"
