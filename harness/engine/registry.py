"""A model in, the engine that answers for it out: transformers or vLLM for folders and hub ids, others by the scheme of a reference.

What opens an engine is a function, or a class, that takes an Endpoint and the Settings of a run. Ours are listed in
BUILT_IN; users register theirs in a conftest.py:

    @engine_for("fake")
    class Fake: ...

An installed package names its own in the entry point group `forgetting_gate.engines`: `fake = "package.module:Fake"`.
"""

from __future__ import annotations

import gc
import inspect
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from harness.engine.abilities import SAME_FLOATS, Noted, Refuses, unlike_floats
from harness.engine.checked import why_no_engine
from harness.engine.engine_args import engine_args
from harness.engine.functions import FunctionEngine
from harness.engine.requests import Engine, EnginePair, Request
from harness.engine.settings import OF_LOADING, Settings, changed
from harness.errors import EngineError, HarnessError, ModelError, shown_path, what_was_raised
from harness.models.reference import SCHEME, Endpoint, LocalModel, LocalPair, Model, ModelPair
from harness.progress import Log
from harness.spelling import option
from harness.versions import needed

Opener = Callable[[Endpoint, Settings], Any]
F = TypeVar("F", bound=Opener)

GROUP = "forgetting_gate.engines"
BUILT_IN: dict[str, str] = {
    "gguf": "harness.engine.gguf.engine:open_file",
    "http": "harness.engine.server:open_server",
    "https": "harness.engine.server:open_server",
}
"""`module:function` of our own engines by scheme; imported on first use."""

ACTING: Mapping[str, Collection[str]] = {
    "gguf": ("device", "batch_tokens", "engine_args"),
    "http": (),
    "https": (),
}
"""The settings of loading that act on models of our own engines, by scheme; `allow_remote_code` acts on a `tokenizer`."""

LOCAL = {
    "transformers": "harness.engine.transformers.loading:load_pair",
    "vllm": "harness.engine.vllm.loading:load_pair",
}
"""`module:function` of what loads two models on this disk, by the name of their engine."""

OPENERS: dict[str, Opener] = {}
"""What opens users' own engines, by scheme."""

_PLACES: dict[str, tuple[str, int]] = {}
"""File and line of each registration, by scheme."""

_FOREIGN: WeakValueDictionary[int, Engine] = WeakValueDictionary()
"""Engines that users' or packages' code opened, by their id."""


def engine_for(scheme: str) -> Callable[[F], F]:
    """Register the function or class that opens references such as `SCHEME:NAME`.

    It is called with the Endpoint, whose `rest` is `NAME`, and the Settings of the run, and returns an Engine.

    Raises:
        TypeError: the scheme is not text.
        ValueError: the scheme is malformed, or taken by another engine.
    """
    if not isinstance(scheme, str):
        raise TypeError(f'an engine needs a scheme: write @engine_for("name"), saw @engine_for({scheme!r})')
    if not SCHEME.fullmatch(scheme):
        raise ValueError(
            f"the scheme of an engine has two or more of a-z, 0-9, '+', '.' and '-', a letter first, saw {scheme!r}"
        )
    caller = inspect.stack(context=0)[1]
    place = (caller.filename, caller.lineno)

    def register(opener: F) -> F:
        # The same line registers twice if its file is loaded again, as by two runs in one process.
        if _PLACES.setdefault(scheme, place) != place:
            path, line = _PLACES[scheme]
            raise ValueError(
                f"there is an engine for '{scheme}:' already, from {shown_path(Path(path))}:{line}"
            )
        OPENERS[scheme] = opener
        return opener

    return register


def schemes() -> Collection[str]:
    """All schemes that have an engine."""
    return {*OPENERS, *_installed(), *BUILT_IN}


def open_engine(model: Model, settings: Settings = Settings(), say: Log = lambda text: None) -> Engine:
    """The engine of a model, without a baseline.

    Raises:
        ModelError: it cannot be loaded.
        EngineError: it cannot answer.
    """
    return _alone(model, settings, say).tuned


def open_pair(
    pair: ModelPair[Model, Model],
    settings: Settings = Settings(),
    say: Log = lambda text: None,
    asked: Sequence[Request] = (),
    alone: Callable[[Model], EnginePair] | None = None,
) -> EnginePair:
    """Both engines of a pair; two local models share the memory of what is proven to be equal.

    Args:
        asked: the requests to come; an adapter must change a logit of one.
        alone: opens one of two models that have no engine in common, as both sides of a pair; None for this module's own.

    Raises:
        ModelError: a model cannot be loaded.
        EngineError: it cannot answer, or the tuned model equals the baseline.
    """
    baseline, tuned = pair.baseline, pair.tuned
    if (local := together(pair, settings)) is not None:
        return _load_pair(local, settings, say, asked)
    check_acts((baseline, tuned), settings)
    if settings.template != "own":
        raise ModelError(
            f"{option('template', settings.template)}: {baseline.name} and {tuned.name} have no engine in common, so that "
            "one cannot be asked through the template of the other"
        )
    opened = alone or (lambda model: _alone(model, own_settings(model, settings), say, asked))
    halves = [opened(model) for model in ([tuned] if baseline is tuned else [baseline, tuned])]
    loaded = next((half for half in halves if half.device), halves[0])
    notes = dict.fromkeys([*pair.notes, *(note for half in halves for note in half.notes)])
    dtype = loaded.dtype if len(halves) == 1 else None  # each engine tells its own
    return EnginePair(halves[0].tuned, halves[-1].tuned, loaded.device, dtype, tuple(notes))


def check_acts(models: Sequence[Model], settings: Settings) -> None:
    """Refuse settings that act on none of several models; raises ModelError."""
    idle = set.intersection(*(set(_idle(model)) for model in models))
    if marks := changed(settings, [name for name in OF_LOADING if name in idle]):
        who = " and ".join(dict.fromkeys(model.name for model in models))
        raise ModelError(f"{marks}: would do nothing, for {who} have engines of their own\n  leave that out")


def _idle(model: Model) -> Collection[str]:
    """The settings that do nothing for a model; users' engines may read all but the name of one."""
    if not isinstance(model, Endpoint):
        return ()
    if model.scheme not in ACTING or model.scheme in {*OPENERS, *_installed()}:
        return ("engine",)
    of_code = {"allow_remote_code"} if "tokenizer=" in model.rest else set()
    return set(OF_LOADING) - {"store", "template", *ACTING[model.scheme]} - of_code


def _alone(model: Model, settings: Settings, say: Log, asked: Sequence[Request] = ()) -> EnginePair:
    """One model as both sides of a pair."""
    if not isinstance(model, Endpoint):
        return _load_pair(LocalPair(model, model), settings, say, asked)
    engine = _opened(model, settings)
    _check_answers_all(engine, asked)
    return EnginePair(engine, engine, notes=engine.notes if isinstance(engine, Noted) else ())


def _check_answers_all(engine: Engine, asked: Sequence[Request]) -> None:
    """Refuse what an engine knows it cannot answer, before anything is asked; raises EngineError."""
    if not isinstance(engine, Refuses):
        return
    for request in asked:
        if why := engine.refusal(request):
            raise EngineError(f"{engine.label}: cannot be asked what the suites need: {why}")


def together(pair: ModelPair[Model, Model], settings: Settings) -> LocalPair | None:
    """The pair, if one engine runs both models on this disk; else None."""
    baseline, tuned = pair.baseline, pair.tuned
    if isinstance(baseline, Endpoint) or isinstance(tuned, Endpoint):
        return None
    alike = local_engine(baseline, settings) == local_engine(tuned, settings)
    return LocalPair(baseline, tuned, pair.notes) if alike else None


def local_engine(model: LocalModel, settings: Settings) -> str:
    """The name of the engine that runs a model on this disk: that of its reference, else of the run."""
    return model.engine or ("transformers" if settings.engine == "auto" else settings.engine)


def own_settings(model: Model, settings: Settings) -> Settings:
    """The settings that act on one of several models that have no engine in common."""
    if isinstance(model, Endpoint):
        plain = Settings()
        return replace(settings, **{name: getattr(plain, name) for name in _idle(model)})
    takes_none = local_engine(model, settings) == "transformers"
    return replace(settings, engine_args=()) if takes_none else settings


def _load_pair(pair: LocalPair, settings: Settings, say: Log, asked: Sequence[Request]) -> EnginePair:
    engine = local_engine(pair.tuned, settings)
    if engine == "transformers":
        engine_args(settings.engine_args, (), engine)
    module, _, name = LOCAL[engine].partition(":")
    with needed():
        load_pair = getattr(_imported(module), name)
    loaded: EnginePair = load_pair(pair, settings, say, asked)
    unlike = unlike_floats({"the baseline": loaded.baseline, "the tuned model": loaded.tuned})
    note = [f"{unlike}, which alone flips some answers: {SAME_FLOATS}"] if unlike else []
    return replace(loaded, notes=(*loaded.notes, *note))


def _imported(module: str) -> ModuleType:
    """A back end. What it imports is never garbage, and looking through it for some would take a second of each run."""
    if module in sys.modules or not gc.isenabled():
        return import_module(module)
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.freeze()
        gc.enable()


def take_after(engine: Engine, original: Engine) -> None:
    """Note that an engine asks another, so that `is_foreign` is the same for both."""
    if is_foreign(original):
        _FOREIGN[id(engine)] = engine


def is_foreign(engine: Engine) -> bool:
    """Whether the engine, or what opened it, is users' or packages' code: its exceptions are then their bugs, not ours."""
    if isinstance(engine, FunctionEngine) or not type(engine).__module__.startswith("harness."):
        return True
    return _FOREIGN.get(id(engine)) is engine


def _opened(endpoint: Endpoint, settings: Settings) -> Engine:
    who = f"{endpoint.name}: the engine of '{endpoint.scheme}:'"
    opener, foreign = _opener(endpoint.scheme)
    try:
        engine = opener(endpoint, settings)
    except (Exception, SystemExit) as error:
        if isinstance(error, HarnessError) or not foreign:
            raise
        raise EngineError(f"{who} cannot be opened\n  {what_was_raised(error)}") from error
    if wrong := why_no_engine(engine):
        raise EngineError(f"{who} must give an Engine, saw {wrong}")
    if foreign:
        with suppress(TypeError):  # a class with __slots__
            _FOREIGN[id(engine)] = engine
    return engine  # type: ignore[no-any-return]


def _opener(scheme: str) -> tuple[Opener, bool]:
    """What opens the engines of a scheme, and whether it is foreign; raises EngineError if it cannot be imported."""
    if scheme in OPENERS:
        return OPENERS[scheme], True
    if (point := _installed().get(scheme)) is None:
        module, _, name = BUILT_IN[scheme].partition(":")
        with needed():
            return getattr(import_module(module), name), False
    package = point.dist.name if point.dist else "an installed package"
    try:
        return point.load(), True
    except Exception as error:
        raise EngineError(
            f"the engine '{scheme}' of {package} cannot be loaded from {point.value}\n  {type(error).__name__}: {error}"
        ) from error


@cache
def _installed() -> Mapping[str, EntryPoint]:
    """The engines of installed packages, by scheme, not yet imported."""
    return {point.name: point for point in entry_points(group=GROUP) if SCHEME.fullmatch(point.name)}
