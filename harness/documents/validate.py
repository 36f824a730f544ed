"""A Document and the shape that it should have in, a typed value or every problem out.

The shape is a pydantic model. Its errors are reworded for the author of the file: where, what was seen, what was expected,
and the nearest valid key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function

from harness.documents.document import Document, Place
from harness.errors import Problem, did_you_mean
from harness.limits import MOST_HINTS, MOST_NAME

M = TypeVar("M", bound="Shape")


class Shape(BaseModel):
    """Base of all shapes that are read from YAML: no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True)
class Like:
    """Text that matches `pattern`. Messages say `words` instead of the pattern."""

    pattern: str
    words: str

    def check(self, text: str) -> str:
        if len(text) > MOST_NAME:
            words = f"a name of at most {MOST_NAME} characters"
            raise PydanticCustomError("unlike", "{words}", {"words": words})
        if not re.fullmatch(self.pattern, text):
            raise PydanticCustomError("unlike", "{words}", {"words": self.words})
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "pattern": self.pattern, "patternErrorMessage": f"must be {self.words}"}


@dataclass(frozen=True)
class Part:
    """The name of a part of a file in messages, and the shape with its keys."""

    name: str
    shape: type[BaseModel] | None = None


def validate(
    shape: type[M],
    data: Any,
    document: Document,
    parts: Mapping[str, Part],
    at: Place = (),
    *,
    hints: bool = True,
) -> tuple[M | None, list[Problem]]:
    """Check `data`, the value at `at` in `document`, against `shape`.

    Args:
        parts: the parts of the file by the key that holds them (`gates`, `task`); "" is the whole file.
        hints: whether to look for the names that were meant; at most for the first MOST_HINTS problems.

    Returns:
        The value, or None and all its problems.
    """
    try:
        return shape.model_validate(data), []
    except ValidationError as error:
        return None, [
            _problem(details, document, parts, at, hints and number < MOST_HINTS)
            for number, details in enumerate(error.errors(include_url=False))
        ]


def _problem(details: Any, document: Document, parts: Mapping[str, Part], at: Place, hints: bool) -> Problem:
    place = _place(details["loc"], document, at)
    kind, seen, context = details["type"], details["input"], details.get("ctx", {})
    parent = _part(place[:-1], parts)
    key = next((step for step in reversed(place) if isinstance(step, str)), "")
    span = document.values.get(place, document.span(place))
    if kind == "extra_forbidden":
        hint = did_you_mean(str(place[-1]), _keys(parent.shape)) if hints else None
        return Problem(document.span(place), f"unknown key '{place[-1]}' in {parent.name}", hint)
    if kind == "missing":
        holder: Place = (*at, *details["loc"][:-1])
        return Problem(document.span(holder), f"{_part(holder, parts).name} needs '{details['loc'][-1]}'")
    if kind == "value_error":
        return Problem(span, str(context["error"]))
    expected = _expected(kind, context)
    hint = None
    if kind == "literal_error" and isinstance(seen, str) and hints:
        hint = did_you_mean(seen, re.findall("'([^']*)'", context["expected"]))  # "'a', 'b' or 'c'"
    where = f"'{key}'" if key and isinstance(place[-1], str) else parent.name
    return Problem(span, f"{where} must be {expected}, saw {describe(seen)}", hint)


def _place(loc: tuple[str | int, ...], document: Document, at: Place) -> Place:
    """The place in the file that a pydantic location means.

    Within a union pydantic adds the alternative that it tried, as in ("probes_from", "SourceFormat", "sample"). No author
    wrote that, so steps that the file does not have are left out. Only the last may be absent and yet meant, such as an
    item that is not there; it is kept if the file has all steps before it.
    """
    place = at
    for step in loc[:-1]:
        if (*place, step) in document.values:
            place = (*place, step)
    full: Place = (*place, *loc[-1:])
    return full if full in document.values or place == (*at, *loc[:-1]) else place


def _part(place: Place, parts: Mapping[str, Part]) -> Part:
    """The part that a place is in; a key without a part of its own has the keys of the part around it."""
    steps = [step for step in place if isinstance(step, str)]
    if not steps:
        return parts[""]
    around = next((parts[step].shape for step in reversed(steps) if step in parts), parts[""].shape)
    return parts.get(steps[-1], Part(f"'{steps[-1]}'", around))


def _keys(shape: type[BaseModel] | None) -> list[str]:
    return [info.alias or name for name, info in shape.model_fields.items()] if shape else []


_EXPECTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_too_short": "non-empty text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def _expected(kind: str, context: Mapping[str, Any]) -> str:
    match kind:
        case "greater_than_equal":
            return f"at least {context['ge']:g}"
        case "greater_than":
            return f"more than {context['gt']:g}"
        case "less_than_equal":
            return f"at most {context['le']:g}"
        case "less_than":
            return f"less than {context['lt']:g}"
        case "literal_error":
            return str(context["expected"]).replace("'", "").replace("True", "true")
        case "too_short":
            return f"a non-empty {'mapping' if context['field_type'] == 'Dictionary' else 'list'}"
        case "unlike":
            return str(context["words"])
    return _EXPECTED.get(kind, kind.replace("_", " "))


def describe(seen: Any) -> str:
    """A value as its author would call it, in at most a line."""
    match seen:
        case None:
            return "nothing"
        case bool():
            return str(seen).lower()
        case str():
            return f"text {seen[:60]!r}" if seen else "empty text"
        case Mapping():
            return "a mapping" if seen else "an empty mapping"
        case list() | tuple():
            return "a list" if seen else "an empty list"
    return str(seen)
