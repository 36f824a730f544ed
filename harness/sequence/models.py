"""A base and recipes in, the model after each of them out: trained, or found in the cache, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.engine.requests import EnginePair
from harness.engine.settings import Settings
from harness.models.json_file import read_json
from harness.models.reference import FullModel, ModelPair, find_local_model
from harness.progress import counter
from harness.recipes.read import Recipe
from harness.store.opening import open_pair
from harness.sweep.models import free_models
from harness.terminal import say
from harness.training.merged import as_full_model
from harness.training.train import train
from harness.training.trained import DONE, kept_before


class Chain:
    """Models of which each was trained from the last. Between contexts none is in memory."""

    def __init__(self, base: FullModel, settings: Settings) -> None:
        self.base = base
        self.last = base
        self.settings = settings

    def train(self, recipe: Recipe) -> float | None:
        """Train the recipe on the last model, unless that was done before; the seconds of training, None if unknown.

        Raises:
            RecipeError, ModelError: it cannot be trained.
        """
        free_models()
        folder = kept_before(recipe, self.last, self.settings)
        if folder is None:
            folder = train(recipe, self.last, self.settings, say, counter)
        seconds: float | None = read_json(folder / DONE).get("seconds")
        found = find_local_model(str(folder), self.settings.allowed)
        full = as_full_model(found, self.settings, say)
        self.last = FullModel(f"after {recipe.name}", full.folder)
        free_models()
        return seconds

    @contextmanager
    def pair(self) -> Iterator[EnginePair]:
        """The base and the last model, to be asked; before any training, the base alone as both."""
        free_models()
        yield open_pair(ModelPair(self.base, self.last), self.settings, say)
