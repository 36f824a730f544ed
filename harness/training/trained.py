"""A recipe in, the model that was trained by it out: its key, and how to find it again without loading torch."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.digest import digest
from harness.engine.registry import schemes
from harness.engine.settings import Settings
from harness.models.cache import cache_folder
from harness.models.identity import fault_of, identities
from harness.models.origin import RECIPE
from harness.models.reference import FullModel, LocalModel, Model, ModelPair, find_local_model, find_pair
from harness.recipes.advice import advise
from harness.recipes.read import Recipe, base_reference
from harness.store.content import machine
from harness.store.opening import open_store

VERSION = "3"
"""Of the way of training; part of the key under which models are kept."""

DONE = RECIPE
"""Written last: the recipe, the loss curve, SHA-256 of the frozen weights, the seconds of the whole training with its general
data and Fisher information (null where a killed training went on), and the identities of the files: `base`, the folder
that was trained on, and `trained`, this one."""


def library_versions() -> dict[str, str]:
    """The versions of the libraries that a trained model depends on."""
    return {name: version(name) for name in ("torch", "transformers", "peft", "accelerate")}


def recipe_key(recipe: Recipe, base: dict[str, str], device: str, dtype: str) -> str:
    """A key for everything that the result depends on: recipe, corpora, base, device, dtype and library versions."""
    parts = {"base": base, "device": [device, dtype], "versions": library_versions(), "training": VERSION}
    return digest({**recipe.content, **parts})


def sources_of(
    recipe: Recipe, base: FullModel, folder: Path, baseline: str | None, settings: Settings
) -> ModelPair[Model, LocalModel]:
    """The pair that the gate compares, of a recipe's model in its folder; raises ModelError."""
    reference = base_reference(recipe)
    pair = find_pair(str(folder), baseline or reference, settings.allowed, schemes())
    tuned = replace(find_local_model(str(folder), settings.allowed), name=str(recipe.path))
    advice = tuple(f"{recipe.path.name}: {problem.message}" for problem in advise(recipe, base.folder))
    against = tuned if pair.baseline is pair.tuned else pair.baseline
    return ModelPair(against, tuned, (*pair.notes, *recipe.notes, *advice))


def kept_before(recipe: Recipe, base: FullModel, settings: Settings) -> Path | None:
    """The folder of the recipe's model if it was trained on this machine, and nothing changed since; None if that is not known.

    The key of a model has its device and dtype, which take torch to tell; `keep_known` kept them for these settings.
    """
    store = open_store(settings)
    if store is None or not base.folder.is_dir():
        return None
    key = store.fact("trained", _told_without_torch(recipe, identities(base.folder), settings))
    folder = cache_folder() / "trained" / f"{recipe.name}-{key}"
    return folder if key and fault_of(folder, DONE, "trained") is None else None


def keep_known(recipe: Recipe, base: dict[str, str], settings: Settings, key: str) -> None:
    """Keep the key of a recipe's model for `kept_before`; `base` has the identities of the folder that was trained on."""
    if (store := open_store(settings)) is not None:
        store.keep_fact(key, "trained", _told_without_torch(recipe, base, settings))


def _told_without_torch(recipe: Recipe, base: dict[str, str], settings: Settings) -> dict[str, Any]:
    told = recipe_key(recipe, base, settings.device, settings.dtype)
    return {"recipe": told, "machine": machine(settings), "saved": "as the base"}
