"""A plain function that judges text in, a Scorer class that calls it out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, get_type_hints

from pydantic import Field, create_model

from harness.suites.scorer import Expects, Scorer


class FunctionScorer(Scorer):
    """Calls `function` with the text, the probe's answers if it takes them, and its parameters from YAML."""

    function: ClassVar[Callable[..., bool]]

    def right(self, text: str, expected: Sequence[str]) -> bool:
        given = (text,) if self.expects == "none" else (text, expected)
        fields = type(self).model_fields
        parameters = {str(info.alias): getattr(self, name) for name, info in fields.items()}
        return type(self).function(*given, **parameters)


def scorer_of(function: Any, name: str) -> type[Scorer]:
    """The Scorer for `function(text)` or `function(text, expected)`; its other parameters become those in YAML.

    Raises:
        TypeError: the function has another signature, or a parameter without an annotation.
    """
    if not callable(function) or inspect.iscoroutinefunction(function):
        raise TypeError(
            f"the score '{name}' must be a function or a class made from Scorer, saw {function!r}"
        )
    signature = list(inspect.signature(function).parameters.values())
    if not signature or signature[0].kind in (signature[0].KEYWORD_ONLY, signature[0].VAR_KEYWORD):
        raise TypeError(f"the score '{name}' must take the text that it judges as its first parameter")
    try:
        types = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(f"the score '{name}' has an annotation that cannot be found: {error}") from error
    rest = signature[1:]
    expects: Expects = "none"
    if rest and rest[0].name == "expected":
        expects = "required" if rest[0].default is rest[0].empty else "optional"
        rest = rest[1:]
    kind = create_model(
        function.__name__,
        __base__=FunctionScorer,
        __module__=function.__module__,
        __doc__=function.__doc__,
        **{f"parameter_{parameter.name}": _field(parameter, types, name) for parameter in rest},
    )
    kind.function = staticmethod(function)
    kind.expects = expects
    return kind


def _field(parameter: inspect.Parameter, types: dict[str, Any], name: str) -> Any:
    """A parameter as a pydantic field, under an alias, so that it may have any name."""
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
        raise TypeError(f"the score '{name}' cannot take '{parameter}': suites give its parameters by name")
    if parameter.name not in types:
        raise TypeError(
            f"the score '{name}' must say of which type its parameter '{parameter.name}' is\n"
            f"  annotate it: {parameter.name}: int"
        )
    default = ... if parameter.default is parameter.empty else parameter.default
    return types[parameter.name], Field(default, alias=parameter.name)
