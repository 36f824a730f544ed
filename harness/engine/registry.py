"""A model in, the engine that answers for it out: transformers for folders and hub ids, others by the scheme of a reference.

An engine is one function, or one class, from an Endpoint and the Settings of a run to an Engine. Ours stand in BUILT_IN; a
user's own is registered in a conftest.py:

    @engine_for("fake")
    class Fake: ...

An installed package names its own in the entry point group `forgetting_gate.engines`: `fake = "package.module:Fake"`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from harness.engine.pair import EnginePair
from harness.engine.requests import Engine, Request
from harness.engine.settings import Settings
from harness.errors import EngineError, HarnessError, ModelError, shown_path, what_was_raised
from harness.models.reference import SCHEME, Endpoint, LocalPair, Model, ModelPair
from harness.spelling import option
from harness.versions import needed

Opener = Callable[[Endpoint, Settings], Any]
Say = Callable[[str], None]
F = TypeVar("F", bound=Opener)

GROUP = "forgetting_gate.engines"
BUILT_IN: dict[str, str] = {}
"""By scheme, `module:function` of each engine of ours that needs more than a folder; imported when it is asked for."""

OPENERS: dict[str, Opener] = {}
"""Engines of a user's own, by scheme."""

_PLACES: dict[str, tuple[str, int]] = {}
"""Where each of them was registered: file and line."""

_FOREIGN: WeakValueDictionary[int, Engine] = WeakValueDictionary()
"""Engines that outsiders' code opened, by their id."""


def engine_for(scheme: str) -> Callable[[F], F]:
    """Register what opens the models of references such as `SCHEME:NAME`.

    It is called with the Endpoint, of which `rest` is `NAME`, and the Settings of the run, and gives an Engine.

    Raises:
        TypeError: the scheme is no text.
        ValueError: it cannot be one, or another engine has it already.
    """
    if not isinstance(scheme, str):
        raise TypeError(f'an engine needs a scheme: write @engine_for("name"), saw @engine_for({scheme!r})')
    if not SCHEME.fullmatch(scheme):
        raise ValueError(
            f"the scheme of an engine has two or more of a-z, 0-9, '+', '.' and '-', a letter first, saw {scheme!r}"
        )
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    place = (frame.f_back.f_code.co_filename, frame.f_back.f_lineno)

    def register(opener: F) -> F:
        # The same lines run twice where a file is loaded again, as by two runs in one process.
        if _PLACES.setdefault(scheme, place) != place:
            path, line = _PLACES[scheme]
            raise ValueError(
                f"there is an engine for '{scheme}:' already, from {shown_path(Path(path))}:{line}"
            )
        OPENERS[scheme] = opener
        return opener

    return register


def schemes() -> Collection[str]:
    """All schemes that an engine answers for."""
    return {*OPENERS, *_installed(), *BUILT_IN}


def open_engine(model: Model, settings: Settings = Settings(), say: Say = lambda text: None) -> Engine:
    """The engine of a model, without a baseline.

    Raises:
        ModelError: it cannot be loaded.
        EngineError: it cannot answer.
    """
    if isinstance(model, Endpoint):
        return _opened(model, settings)
    return _load_pair(LocalPair(model, model), settings, say, ()).tuned


def open_pair(
    pair: ModelPair[Model, Model],
    settings: Settings = Settings(),
    say: Say = lambda text: None,
    asked: Sequence[Request] = (),
) -> EnginePair:
    """Both engines of a pair; two models of transformers share what they can be proven to share.

    Args:
        asked: what will be asked of both; an adapter must change something of it.

    Raises:
        ModelError: a model cannot be loaded.
        EngineError: it cannot answer, or the tuned model is the baseline.
    """
    baseline, tuned = pair.baseline, pair.tuned
    if not isinstance(baseline, Endpoint) and not isinstance(tuned, Endpoint):
        return _load_pair(LocalPair(baseline, tuned, pair.notes), settings, say, asked)
    if settings.template != "own":
        raise ModelError(
            f"{option('template', settings.template)}: {baseline.name} and {tuned.name} have no engine in common, so that "
            "one cannot be asked through the template of the other"
        )
    if baseline is tuned:
        engine = open_engine(tuned, settings, say)
        return EnginePair(engine, engine, notes=pair.notes)
    halves = [_half(model, settings, say, asked) for model in (baseline, tuned)]
    loaded = next((half for half in halves if half.device), EnginePair(halves[0].tuned, halves[1].tuned))
    return EnginePair(
        halves[0].tuned, halves[1].tuned, loaded.device, loaded.dtype, (*pair.notes, *loaded.notes)
    )


def _half(model: Model, settings: Settings, say: Say, asked: Sequence[Request]) -> EnginePair:
    """One model of a pair whose engines have nothing in common, as both sides of a pair of its own."""
    if not isinstance(model, Endpoint):
        return _load_pair(LocalPair(model, model), settings, say, asked)
    engine = _opened(model, settings)
    return EnginePair(engine, engine)


def _load_pair(pair: LocalPair, settings: Settings, say: Say, asked: Sequence[Request]) -> EnginePair:
    with needed():
        from harness.engine.transformers.loading import load_pair

    return load_pair(pair, settings, say, asked)


def is_foreign(engine: Engine) -> bool:
    """Whether a reference named the engine and its code is an outsider's, so that what it raises is no fault of ours."""
    return _FOREIGN.get(id(engine)) is engine


def _opened(endpoint: Endpoint, settings: Settings) -> Engine:
    who = f"{endpoint.name}: the engine of '{endpoint.scheme}:'"
    opener, foreign = _opener(endpoint.scheme)
    try:
        engine = opener(endpoint, settings)
    except Exception as error:
        if isinstance(error, HarnessError) or not foreign:
            raise
        raise EngineError(f"{who} cannot be opened\n  {what_was_raised(error)}") from error
    if wrong := _wrong(engine):
        raise EngineError(f"{who} must give an Engine, saw {wrong}")
    if foreign:
        with suppress(TypeError):  # a class with __slots__
            _FOREIGN[id(engine)] = engine
    return engine  # type: ignore[no-any-return]


def _wrong(engine: Any) -> str | None:
    """What was given in place of an engine, and what it lacks; None for an engine."""
    if isinstance(engine, type):
        return f"the class {engine.__name__} itself"
    if lacks := [name for name in ("label", "kinds", "ask", "render") if not hasattr(engine, name)]:
        return f"{type(engine).__name__}\n  it has no {', '.join(lacks)}"
    if not isinstance(engine.label, str):
        return f"{type(engine).__name__}\n  its label must be text"
    return None


def _opener(scheme: str) -> tuple[Opener, bool]:
    """What opens the models of a scheme, and whether it is an outsider's; raises EngineError where it cannot be loaded."""
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
    """The engines of installed packages, by scheme; none of them is imported."""
    return {point.name: point for point in entry_points(group=GROUP) if SCHEME.fullmatch(point.name)}
