"""The fixtures of a case in, the engine to ask out: the user's own where they give one, else that of the options.

`baseline` and `tuned` are names that a project may well use for something else, so what such a fixture gives is looked at
first; `gate_baseline` and `gate_tuned` are nobody else's.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from harness.engine.requests import Engine, Side
from harness.errors import EngineError
from harness.plugin.names import name_a_model, names_of

if TYPE_CHECKING:
    from harness.plugin.run import Run

OURS = "harness.plugin"
"""The module of our own fixtures."""


def choose(request: pytest.FixtureRequest, side: Side, run: Run) -> Engine:
    """The engine of one side for the case that requests it.

    Raises:
        EngineError: the user's fixture gives something else, and no option names a model to ask instead.
        HarnessError: the model cannot be loaded.
    """
    fixture = _override(request.node, side)
    if fixture is None or fixture in run.other_fixtures:
        return run.models.engine(side)
    found = _look(request, side, fixture)
    if isinstance(found, Engine):
        return found
    if run.options.model is None:
        raise not_an_engine(
            side,
            found,
            f"\n  or call that one 'gate_{side}', where '{side}' is yours\n{name_a_model(run.config)}",
        )
    run.other_fixtures.add(fixture)
    run.note(
        f"the fixture '{side}' gives no Engine (saw {found}), so {names_of(run.config).best('model')} "
        f"{run.options.model} decides what is asked; one that gives an Engine may be called 'gate_{side}'"
    )
    return run.models.engine(side)


def is_overridden(item: pytest.Item, side: Side) -> bool:
    """Whether a fixture of the user's may give the engine of a case."""
    return any(_override(item, name) is not None for name in (side, f"gate_{side}"))


def was_given(item: pytest.Item, side: Side) -> bool:
    """Whether a test was given an engine of one side by its fixtures."""
    given = getattr(item, "funcargs", None) or {}
    return any(isinstance(given.get(name), Engine) for name in (side, f"gate_{side}"))


def not_an_engine(fixture: str, seen: str, hint: str = "") -> EngineError:
    """The error of a fixture that should give an engine."""
    return EngineError(
        f"the fixture '{fixture}' must give an Engine, saw {seen}\n"
        f"  wrap a function from prompt to text: harness.FunctionEngine(function){hint}"
    )


def _override(item: pytest.Item, name: str) -> Any:
    """The user's fixture that a case would get by a name of ours; None if it is ours."""
    session: Any = item.session  # pytest has no public way to look at a fixture without running it
    fixtures = session._fixturemanager.getfixturedefs(name, item)
    return fixtures[-1] if fixtures and fixtures[-1].func.__module__ != OURS else None


def _look(request: pytest.FixtureRequest, side: Side, fixture: Any) -> Engine | str:
    """What the user's fixture gives: an engine, or in words something else; an error of its own is the case's."""
    if fixture.params is not None:
        return "one with params"
    if inspect.iscoroutinefunction(fixture.func) or inspect.isasyncgenfunction(fixture.func):
        return "an async one"
    try:
        found = request.getfixturevalue(side)
    except pytest.FixtureLookupError as error:
        return f"one that requests '{error.argname}', which no case has"
    except AttributeError as error:
        if error.name != "param" or not isinstance(error.obj, pytest.FixtureRequest):
            raise
        return "one that needs a parameter"
    return found if isinstance(found, Engine) else type(found).__name__
