"""Anything that stands for a model in, an Engine and its row in a record out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.engine.functions import FunctionEngine
from harness.engine.registry import schemes
from harness.engine.requests import Engine, EnginePair
from harness.engine.settings import OF_LOADING, PairOptions, Settings, check_idle
from harness.errors import EngineError, ModelError
from harness.evaluation.record import model_row
from harness.models.folder import find_folder
from harness.models.reference import GGUF, SERVERS, Endpoint, RecipeFile, by_form, on_engine, resolve
from harness.reporting.rows import ModelRow
from harness.store.given import identity_of
from harness.store.opening import keep_given, open_engine
from harness.versions import needed

logger = logging.getLogger("harness")

OF_PAIRS = ("template", "allow_conversion")
"""Settings that act where both models are loaded."""

Model = Any
"""A reference (`"./tuned"`), a function from prompt to text, an Engine, or a (model, tokenizer) pair."""


def engine_of(model: Model, settings: Settings) -> tuple[Engine, ModelRow]:
    """The engine of a model, and who the model is: by its weights if a reference names it, else by its label.

    Raises:
        ModelError: a reference cannot be loaded.
        EngineError: the object is no model, or a setting would have no effect on it.
    """
    if isinstance(model, str | Path):
        found = resolve(str(model), schemes(), settings.allowed)
        if isinstance(found, RecipeFile):
            raise ModelError(f"{model}: is a recipe, and a model is needed here")
        engine = open_engine(found, settings, logger.info)
        return engine, model_row(found, str(model), engine.label)
    engine = _in_memory(model, settings)
    label = str(engine.label)
    return engine, ModelRow(reference=label, name=label, source="fixture")


def engines_of(models: Sequence[Model], settings: Settings) -> list[tuple[Engine, ModelRow]]:
    """The same of models of which not all are references: settings of loading are for those that are.

    Raises:
        ModelError, EngineError: as `engine_of`; also a setting that would have no effect on any of them.
    """
    if any(map(_is_named, models)):
        check_idle(settings, OF_PAIRS, "one of the models is in memory")
    return [engine_of(model, settings_for(model, settings, models)) for model in models]


def settings_for(model: Model, settings: Settings, models: Sequence[Model]) -> Settings:
    """The settings that act on one of several models: if references name any, those of loading are for these."""
    if _is_named(model) or not any(map(_is_named, models)):
        return settings
    stored = isinstance(model, Engine) and identity_of(model) is not None
    return Settings(
        template_arguments=settings.template_arguments,
        thinking_tokens=settings.thinking_tokens,
        store=settings.store if stored else None,
    )


def _is_named(model: Model) -> bool:
    return isinstance(model, str | Path)


def named_by(reference: str) -> object:
    """What a reference names, however it is written."""
    match by_form(reference, schemes()):
        case Endpoint(scheme=scheme, rest=rest) if scheme in SERVERS:
            with needed():
                from harness.engine.server.address import read_address

            return replace(read_address(f"{scheme}:{rest}"), reference="")
        case Endpoint(scheme=scheme, rest=rest):
            return scheme, Path(rest).expanduser().resolve() if scheme == GGUF else rest
        case RecipeFile(path=path):
            return path.resolve()
    engine, folder = on_engine(reference)
    try:
        return engine, find_folder(folder).resolve()
    except ModelError:  # which opening it explains
        return engine, folder


def _in_memory(model: Model, settings: Settings) -> Engine:
    if isinstance(model, Engine):
        stored = identity_of(model) is not None
        idle = [name for name in OF_LOADING if not (stored and name == "store")]
        check_idle(settings, idle, "an Engine runs as it was made")
        return keep_given(EnginePair(model, model), settings, logger.warning).tuned
    if isinstance(model, tuple) and len(model) == 2:
        check_idle(settings, OF_LOADING, "a model in memory runs as it was loaded")
        with needed():
            from harness.engine.transformers.loading import wrap

        return wrap(*model)
    if callable(model) and not hasattr(model, "generate"):
        check_idle(settings, tuple(PairOptions.__annotations__), "a function is given the prompt alone")
        return FunctionEngine(model)
    raise EngineError(
        f"a model is a reference, a function from prompt to text, an Engine or a (model, tokenizer) pair, "
        f"saw {type(model).__name__}"
    )
