"""A base and settings in, the models of a sweep out: trained, loaded one after another, and released."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from harness import __version__
from harness.engine.requests import Engine
from harness.engine.settings import Settings
from harness.engine.transformers.device import default_dtype, find_device, free_memory
from harness.engine.transformers.gguf import ensure_embedded
from harness.models.identity import tokenizer_identity, weights_identity
from harness.models.json_file import read_json
from harness.models.reference import FullModel
from harness.progress import counter
from harness.recipes.read import Recipe
from harness.store.opening import open_engine, open_pair
from harness.sweep.measure import Tuned
from harness.terminal import say
from harness.training.edits.written import saved_dtype
from harness.training.train import trained_sources
from harness.training.trained import DONE, library_versions


class TorchModels:
    """Models of one base. At most the base and one tuned model are in memory; an adapter shares the base's weights."""

    def __init__(self, base: FullModel, settings: Settings) -> None:
        if base.embedded:
            ensure_embedded(say)  # its content is part of the identity
        self.base = base
        self.settings = settings
        device = find_device(settings.device)
        self.device = str(device)
        self.weights = weights_identity(base.folder)
        self.versions = library_versions()
        saved = str(saved_dtype(base.folder) or "float32").removeprefix("torch.")
        self.dtype = default_dtype(device, saved) if settings.dtype == "auto" else settings.dtype
        content = (self.weights, tokenizer_identity(base.folder))
        how = (
            self.device.partition(":")[0],
            sorted(item for item in asdict(settings).items() if item[0] != "store"),
        )
        self.identity = repr((content, how, sorted(self.versions.items()), __version__))

    @contextmanager
    def baseline(self) -> Iterator[Engine]:
        free_models()
        yield open_engine(self.base, self.settings, say)

    @contextmanager
    def tuned(self, recipe: Recipe) -> Iterator[Tuned]:
        free_models()  # the model before, to which nothing refers any more
        sources = trained_sources(recipe, None, self.settings, say, counter)
        seconds = read_json(sources.tuned.folder / DONE).get("seconds")
        free_models()  # the copy that was trained
        pair = open_pair(sources, self.settings, say)
        yield Tuned(pair.tuned, seconds, sources.notes, pair.baseline)


def free_models() -> None:
    """Free the memory of models to which nothing refers any more."""
    gc.collect()
    free_memory()
