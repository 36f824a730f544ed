"""A template such as "{a + b} apples" and values in, text or a number out. Arithmetic only; nothing is executed."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "round": round,
    "len": len,
    "upper": str.upper,
    "lower": str.lower,
    "title": str.title,
}
MOST_TEXT = 200_000
"""The longest text, in characters, that an expression may make."""


def fill(template: str, values: Mapping[str, Any]) -> Any:
    """`template` with each `{expression}` replaced; one that is nothing but an expression gives its value as it is.

    Raises:
        ValueError: an expression is not plain arithmetic over known names, or a brace stands alone.
    """
    whole = re.fullmatch(r"\{([^{}]*)\}", template)
    if whole:
        return evaluate(whole[1], values)

    def replace(match: re.Match[str]) -> str:
        if match.group() in ("{{", "}}"):
            return match.group()[0]
        if match[1] is None:
            raise ValueError(f"a single '{match.group()}'; write {{{{ and }}}} for braces that are text")
        return shown(evaluate(match[1], values))

    return _FIELD.sub(replace, template)


def shown(value: Any) -> str:
    """A value as text: 4.0 is "4", 0.1 + 0.2 is "0.3"."""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def evaluate(expression: str, values: Mapping[str, Any]) -> Any:
    """The value of an arithmetic expression over `values`; raises ValueError."""
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"'{{{expression}}}' is not an expression") from error
    try:
        return _value(tree.body, values)
    except (ArithmeticError, TypeError, IndexError, RecursionError) as error:
        raise ValueError(f"'{{{expression}}}' cannot be computed: {error}") from error


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=int() | float() | str() as constant) if not isinstance(constant, bool):
            return constant
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.Name(id=name):
            raise ValueError(f"unknown name '{name}'; there are: {', '.join(values)}")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, values)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _bounded(_BINARY[type(op)], _value(left, values), _value(right, values))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_value(argument, values) for argument in arguments))
    raise ValueError(
        f"'{ast.unparse(node)}' is not allowed; there are + - * / // % and {', '.join(_FUNCTIONS)}"
    )


def _bounded(compute: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """Products of text and numbers are useful, and can fill a memory: "ab" * 3."""
    if compute is operator.mul and isinstance(left, str) != isinstance(right, str):
        text, times = (left, right) if isinstance(left, str) else (right, left)
        if isinstance(times, int) and len(text) * times > MOST_TEXT:
            raise ValueError(f"a text of {len(text) * times} characters is more than {MOST_TEXT}")
    if compute is operator.mod and isinstance(left, str):
        raise ValueError("'%' is for numbers")
    return compute(left, right)
