"""Whatever stands for a model in, an Engine that can be asked and who it is out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

from harness.engine.functions import FunctionEngine
from harness.engine.keywords import OF_LOADING, EngineOptions
from harness.engine.registry import open_engine, schemes
from harness.engine.requests import Engine
from harness.engine.settings import Settings
from harness.errors import EngineError, ModelError
from harness.models.identity import weights_identity
from harness.models.reference import Adapter, Endpoint, RecipeFile, resolve
from harness.versions import needed

Model = Any
"""A reference (`"./tuned"`), a function from prompt to text, an Engine, or a (model, tokenizer) pair."""


class Who(TypedDict, total=False):
    """Which model was asked: its label, and for a reference what its weights are, as SHA-256 over their files.

    `base_weights` is there for an adapter. A function, an Engine or a model in memory has its label alone.
    """

    label: str
    weights: str
    base_weights: str


def engine_of(model: Model, settings: Settings) -> tuple[Engine, Who]:
    """A model that can be asked, and who it is.

    Raises:
        ModelError: a reference cannot be loaded.
        EngineError: it stands for no model, or a setting would do nothing.
    """
    if isinstance(model, str | Path):
        return _loaded(str(model), settings)
    if isinstance(model, Engine):
        _check_idle(settings, OF_LOADING, "an Engine runs as it was made")
        return model, {"label": str(model.label)}
    if isinstance(model, tuple) and len(model) == 2:
        _check_idle(settings, OF_LOADING, "a model in memory runs as it was loaded")
        return _wrapped(*model)
    if callable(model) and not hasattr(model, "generate"):
        _check_idle(settings, tuple(EngineOptions.__annotations__), "a function is given the prompt alone")
        function = FunctionEngine(model)
        return function, {"label": function.label}
    raise EngineError(
        f"a model is a reference, a function from prompt to text, an Engine or a (model, tokenizer) pair, "
        f"saw {type(model).__name__}"
    )


def _loaded(reference: str, settings: Settings) -> tuple[Engine, Who]:
    model = resolve(reference, schemes(), settings.allow_pickle)
    if isinstance(model, RecipeFile):
        raise ModelError(f"{reference}: is a recipe, and a model is needed here")
    engine = open_engine(model, settings)
    who: Who = {"label": engine.label}
    if isinstance(model, Endpoint):
        return engine, who
    if weights := weights_identity(model.folder):
        who["weights"] = weights
    if isinstance(model, Adapter) and (base := weights_identity(model.base.folder)):
        who["base_weights"] = base
    return engine, who


def _wrapped(model: Any, tokenizer: Any) -> tuple[Engine, Who]:
    with needed():
        from harness.engine.transformers.loading import wrap

    engine = wrap(model, tokenizer)
    return engine, {"label": engine.label}


def _check_idle(settings: Settings, names: Sequence[str], why: str) -> None:
    """Refuse settings that would do nothing; raises EngineError."""
    plain = Settings()
    if idle := [name for name in names if getattr(settings, name) != getattr(plain, name)]:
        raise EngineError(
            f"{', '.join(idle)}: would do nothing here, for {why}\n  leave that out, or name the model by its reference"
        )
