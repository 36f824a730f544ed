"""Engines in, words on where they run out: their device if they tell one, else the code that answers."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.engine.abilities import Timed
from harness.engine.functions import FunctionEngine
from harness.engine.requests import Engine, EnginePair

LONGEST = 200


def places_of(engines: Sequence[Engine]) -> str:
    """Where engines run; that of two which run alike once."""
    return " and ".join(dict.fromkeys(map(place_of, engines)))


def known_places(engines: EnginePair) -> EnginePair:
    """The same engines, with a device and a type of floats that they tell themselves."""
    both = (engines.baseline, engines.tuned)
    floats = dict.fromkeys(filter(None, map(_floats, both)))
    device = engines.device or places_of(both)
    return EnginePair(*both, device, engines.dtype or " and ".join(floats) or None, engines.notes)


def place_of(engine: Engine) -> str:
    """The `device` of an engine, or what kind of code it is: `a function of conftest.py`."""
    device = engine.runs_on.device if isinstance(engine, Timed) else getattr(engine, "device", None)
    if device is not None:
        return str(device)[:LONGEST]
    code: Any = engine.function if isinstance(engine, FunctionEngine) else type(engine)
    what = "a function" if isinstance(engine, FunctionEngine) else f"the engine {code.__name__}"
    while isinstance(code, functools.partial):
        code = code.func
    try:
        file = inspect.getsourcefile(inspect.unwrap(code))
    except TypeError:  # a built-in, or an object that is called
        return what
    return f"{what} of {Path(file).name}"[:LONGEST] if file else what


def _floats(engine: Engine) -> str | None:
    dtype = engine.runs_on.dtype if isinstance(engine, Timed) else getattr(engine, "dtype", None)
    return None if dtype is None else str(dtype)[:LONGEST]
