"""The fixtures of a case in, its engine out: that of a user's own fixture, or the model of the options.

A project may use the names `baseline` and `tuned` for something else, so the value of such a fixture is checked first; nobody
else uses `gate_baseline` and `gate_tuned`.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from harness.engine.requests import Engine, Side
from harness.engine.settings import OF_LOADING
from harness.errors import EngineError
from harness.plugin.names import name_a_model, names_of

if TYPE_CHECKING:
    from harness.plugin.run import Run

IDLE = tuple(name for name in OF_LOADING if name != "store")
"""The settings without effect on an engine of a fixture; the store keeps its answers if it tells its identity."""

OURS = "harness.plugin"
"""The module of our fixtures."""


def choose(request: pytest.FixtureRequest, side: Side, run: Run) -> Engine:
    """The engine of one side for the case that requests it.

    Raises:
        EngineError: the user's fixture gives something else, and no option names a model.
        HarnessError: the model cannot be loaded.
    """
    fixture = _override(request.node, side)
    if fixture is None or fixture in run.other_fixtures:
        return run.models.engine(side)
    value = _value(request, side, fixture)
    if isinstance(value, Engine):
        return value
    if run.options.model is None:
        hint = f"\n  or name the engine's fixture 'gate_{side}', if '{side}' is another\n{name_a_model(run.config)}"
        raise not_an_engine(side, value, hint)
    run.other_fixtures.add(fixture)
    run.note(
        f"the fixture '{side}' gives no Engine (saw {value}), so {names_of(run.config).best('model')} "
        f"{run.options.model} is asked; a fixture that gives an Engine may be named 'gate_{side}'"
    )
    return run.models.engine(side)


def overrides(item: pytest.Item) -> list[pytest.FixtureDef[Any]]:
    """A user's own fixtures that may give the engines of a case."""
    names = ("baseline", "gate_baseline", "tuned", "gate_tuned")
    return [fixture for name in names if (fixture := _override(item, name)) is not None]


def is_overridden(item: pytest.Item, side: Side) -> bool:
    """Whether a user's own fixture may give the engine of a case."""
    return any(_override(item, name) is not None for name in (side, f"gate_{side}"))


def asked_tuned(item: pytest.Item) -> bool:
    """Whether a test got the tuned model's engine from its fixtures."""
    values = getattr(item, "funcargs", None) or {}
    return any(isinstance(values.get(name), Engine) for name in ("tuned", "gate_tuned"))


def not_an_engine(fixture: str, seen: str, hint: str = "") -> EngineError:
    """The error of a fixture that should give an engine."""
    return EngineError(
        f"the fixture '{fixture}' must give an Engine, saw {seen}\n"
        f"  wrap a function from prompt to text: harness.FunctionEngine(function){hint}"
    )


def _override(item: pytest.Item, name: str) -> Any:
    """The user's own fixture that a case would get under one of our names; None if it is ours."""
    session: Any = item.session  # pytest has no public way to inspect a fixture without running it
    fixtures = session._fixturemanager.getfixturedefs(name, item)
    return fixtures[-1] if fixtures and fixtures[-1].func.__module__ != OURS else None


def _value(request: pytest.FixtureRequest, side: Side, fixture: Any) -> Engine | str:
    """The engine that a user's own fixture gives, or a description of anything else; an error of its own passes."""
    if fixture.params is not None:
        return "one with params"
    if inspect.iscoroutinefunction(fixture.func) or inspect.isasyncgenfunction(fixture.func):
        return "an async one"
    try:
        value = request.getfixturevalue(side)
    except pytest.FixtureLookupError as error:
        return f"one that requests '{error.argname}', which no case has"
    except AttributeError as error:
        if error.name != "param" or not isinstance(error.obj, pytest.FixtureRequest):
            raise
        return "one that needs a parameter"
    return value if isinstance(value, Engine) else type(value).__name__
