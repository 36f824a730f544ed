"""A template such as "{a + b} apples" and values in, text or a number out. Arithmetic only; nothing is executed."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from harness.documents.written import WrittenFloat, text_of, without_noise
from harness.limits import MOST_DIGITS, MOST_EXPRESSION, MOST_TEXT

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
    "round": lambda value, *digits: round(value, *map(_place, digits)),
    "len": len,
    "upper": str.upper,
    "lower": str.lower,
    "title": str.title,
}
_MOST_BITS = int(MOST_DIGITS * 3.33)


def fill(template: str, values: Mapping[str, Any]) -> Any:
    """`template` with each `{expression}` replaced; a single expression gives its value, which may be a number.

    Raises:
        ValueError: an expression is not plain arithmetic over known names, a brace is single, or the text is too long.
    """
    if single := re.fullmatch(r"\{([^{}]*)\}", template):
        return evaluate(single[1], values)
    length = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal length
        if match.group() in ("{{", "}}"):
            return match.group()[0]
        if match[1] is None:
            raise ValueError(f"a single '{match.group()}'; write {{{{ and }}}} for braces that are text")
        text = shown(evaluate(match[1], values))
        length += len(text)
        _check_length(length)
        return text

    return _FIELD.sub(replace, template)


def shown(value: Any) -> str:
    """A value as text: 4.0 is "4", 0.1 + 0.2 is "0.3"; raises ValueError if it has none."""
    return str(text_of(value))


def evaluate(expression: str, values: Mapping[str, Any]) -> Any:
    """The value of an arithmetic expression over `values`; raises ValueError."""
    if len(expression) > MOST_EXPRESSION:
        raise ValueError(
            f"an expression may have at most {MOST_EXPRESSION:,} characters, saw {len(expression):,}"
        )
    try:
        value = _value(_parsed(expression), values)
    except (ArithmeticError, TypeError, IndexError, RecursionError) as error:
        raise ValueError(f"'{{{expression}}}' cannot be computed: {error}") from error
    return without_noise(value) if isinstance(value, float) and not isinstance(value, WrittenFloat) else value


@lru_cache(maxsize=1024)
def _parsed(expression: str) -> ast.expr:
    try:
        return ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"'{{{expression}}}' is not an expression") from error


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
    """Compute within bounds: products of text and numbers ("ab" * 3) are useful, and can fill the memory."""
    if compute is operator.mod and isinstance(left, str):
        raise ValueError("'%' is for numbers")
    if compute is operator.mul:
        match left, right:
            case (str() as text, int() as times) | (int() as times, str() as text):
                _check_length(len(text) * times)
            case int(), int():
                _check_bits(left.bit_length() + right.bit_length() - 1)
    value = compute(left, right)
    match value:
        case str():
            _check_length(len(value))
        case int():
            _check_bits(value.bit_length())
    return value


def _check_length(length: int) -> None:
    if length > MOST_TEXT:
        raise ValueError(f"a text may have at most {MOST_TEXT:,} characters, saw {length:,}")


def _check_bits(bits: int) -> None:
    if bits > _MOST_BITS:
        raise ValueError(f"a number of more than {MOST_DIGITS} digits")


def _place(digits: int) -> int:
    """The places that `round` rounds to, within bounds: it computes a power of ten for negative ones."""
    if abs(digits) > MOST_DIGITS:
        raise ValueError(f"'round' takes at most {MOST_DIGITS} places, saw {digits}")
    return digits
