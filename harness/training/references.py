"""References in, models that an engine can open out; a recipe is trained first, unless that was done before.

torch is loaded only to train a recipe.
"""

from __future__ import annotations

from harness.documents.within import PROJECT, Reach
from harness.engine.registry import schemes
from harness.engine.settings import Settings
from harness.models.reference import (
    SAME,
    Model,
    ModelPair,
    RecipeFile,
    by_form,
    find_baseline,
    find_full_model,
    find_pair,
    resolve,
)
from harness.progress import Log, ProgressFor
from harness.recipes.read import Recipe, base_reference, read_recipe
from harness.training.trained import kept_before, sources_of
from harness.versions import needed


def find_models(
    model: str, baseline: str | None, settings: Settings, reach: Reach = PROJECT
) -> ModelPair[Model, Model] | Recipe:
    """The models that two references name, or the recipe of the tuned one, which is yet to be trained.

    Args:
        baseline: None for the one that the tuned model or the recipe names itself.

    Raises:
        ModelError: a reference leads nowhere.
        RecipeError: the recipe has errors.
    """
    form = by_form(model, schemes())
    if not isinstance(form, RecipeFile):
        return find_pair(model, baseline, settings.allowed, schemes())
    recipe = read_recipe(form.path, reach)
    if baseline not in (None, SAME):
        find_baseline(baseline, settings.allowed, schemes())  # before hours of training, not after
    return recipe


def trained(
    found: ModelPair[Model, Model] | Recipe,
    baseline: str | None,
    settings: Settings,
    log: Log,
    counter: ProgressFor,
) -> ModelPair[Model, Model]:
    """The models that `find_models` found, with a recipe trained; raises ModelError or RecipeError if that fails."""
    if isinstance(found, ModelPair):
        return found
    base = find_full_model(base_reference(found), settings.allowed)
    if folder := kept_before(found, base, settings):
        log(f"{found.name}: trained before, kept in {folder}")
        return sources_of(found, base, folder, baseline, settings)
    with needed():
        from harness.training.train import trained_sources

    return trained_sources(found, baseline, settings, log, counter)


def find_model(reference: str, settings: Settings, log: Log, counter: ProgressFor, reach: Reach) -> Model:
    """The model that a reference names, trained if it is a recipe; raises ModelError or RecipeError."""
    match resolve(reference, schemes(), settings.allowed):
        case RecipeFile(path=path):
            return trained(read_recipe(path, reach), None, settings, log, counter).tuned
        case model:
            return model
