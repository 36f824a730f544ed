"""A JSON Schema in, its fault or whether a value fits it out: jobs for `harness.bounded.bounded`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import cache
from typing import Any
from urllib.parse import urljoin

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import extend
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]

MOST_SHOWN, MOST_PATH, MOST_SAID = 40, 80, 300
"""The most characters shown of a value that does not fit, of its path, and of what is wrong with it."""


def problem(written: str) -> str | None:
    """Why a text is not a schema (draft 2020-12), or None."""
    with _deep_calls():
        error = best_match(_schemas().iter_errors(json.loads(written)))
    return str(error.message) if error else None


@cache
def _schemas() -> Draft202012Validator:
    """The schema of schemas: all vocabularies of draft 2020-12 merged into one, which takes a fifth of the time."""
    draft = Draft202012Validator.META_SCHEMA
    parts = [draft, *(REGISTRY.contents(urljoin(draft["$id"], part["$ref"])) for part in draft["allOf"])]
    merged: dict[str, Any] = {"type": ["object", "boolean"]}
    for key in ("properties", "$defs"):
        merged[key] = {name: rule for part in parts for name, rule in part.get(key, {}).items()}
    text = json.dumps(merged).replace('"$dynamicRef": "#meta"', '"$ref": "#"')
    text = re.sub(r'"meta/[a-z-]+#', '"#', text)
    return Draft202012Validator(json.loads(text), format_checker=Draft202012Validator.FORMAT_CHECKER)


def fits(schema: dict[str, Any], value: Any) -> bool:
    """Whether a value fits a schema."""
    with _deep_calls():
        return bool(_Validator(schema).is_valid(value))


def fault(schema: dict[str, Any], value: Any) -> str | None:
    """The path of the value that does not fit a schema, and why: "/price: 'abc' is not of type 'number'"; None if all fit."""
    with _deep_calls():
        error = best_match(_Validator(schema).iter_errors(value))
    if error is None:
        return None
    path = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in error.absolute_path)
    said, shown = str(error.message), repr(error.instance)
    if len(shown) > MOST_SHOWN:
        said = said.replace(shown, f"{shown[:MOST_SHOWN]}...")
    return f"{path[-MOST_PATH:] or 'the whole'}: {said[:MOST_SAID]}"


@contextmanager
def _deep_calls() -> Iterator[None]:
    """Let calls nest more deeply than usual: a level of a schema takes a dozen."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _multiple_of(validator: Any, factor: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    """`multipleOf` in exact arithmetic: 0.3 is a multiple of 0.1, and no quotient overflows."""
    if validator.is_type(value, "number") and (_exact(value) / _exact(factor)).denominator != 1:
        yield ValidationError(f"not a multiple of {factor}")


def _exact(number: float) -> Fraction:
    return Fraction(repr(number)) if isinstance(number, float) else Fraction(number)


def _unique_items(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    """`uniqueItems` without comparing every pair of items."""
    if wanted and validator.is_type(value, "array") and len(set(map(_hashable, value))) < len(value):
        yield ValidationError("not of unique items")


def _hashable(value: Any) -> Any:
    """A hashable value that is equal for equal JSON values, where 1.0 equals 1 and `true` does not."""
    match value:
        case bool():
            return str(value), bool
        case list():
            return tuple(map(_hashable, value))
        case dict():
            return frozenset((key, _hashable(item)) for key, item in value.items())
    return value


_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"multipleOf": _multiple_of, "uniqueItems": _unique_items}
)

JOBS = {"problem": problem, "fits": fits, "fault": fault}
