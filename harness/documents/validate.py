"""A Document and the shape that it should have in, a typed value or every problem out.

The shape is a pydantic model. Its errors are reworded for the author of the file: where, what was seen, what was expected,
and the nearest valid key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function

from harness.documents.document import Document, Place
from harness.documents.part import Part as Part
from harness.errors import Problem
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
            context = {"words": self.words, "pattern": self.pattern}
            raise PydanticCustomError("unlike", "{words}", context)
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "pattern": self.pattern, "patternErrorMessage": f"must be {self.words}"}


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
        problems = (
            _problem(details, document, parts, at, hints and number < MOST_HINTS)
            for number, details in enumerate(error.errors(include_url=False))
        )
        return None, _joined(dict.fromkeys(problems))


def _joined(problems: Iterable[Problem]) -> list[Problem]:
    """The problems, those of the alternatives of one value as one."""
    joined: dict[tuple[Any, ...], Problem] = {}
    for number, problem in enumerate(problems):
        found = re.fullmatch(r"(.* must be )(.*)(, saw .*)", problem.message, re.DOTALL)
        key = (problem.span, found[1], found[3]) if found else (number,)
        if found and (first := joined.get(key)):
            message = first.message.removesuffix(found[3]) + f" or {found[2]}{found[3]}"
            problem = replace(first, message=message, hint=first.hint or problem.hint)
        joined[key] = problem
    return list(joined.values())


def _problem(details: Any, document: Document, parts: Mapping[str, Part], at: Place, hints: bool) -> Problem:
    place = _place(details["loc"], document, at)
    kind, seen, context = details["type"], details["input"], details.get("ctx", {})
    span = document.values.get(place, document.span(place))
    if kind not in ("missing", "extra_forbidden") and place not in document.values:
        place = _without_alternative(place, document)
    parent = _part(place[:-1], parts)
    key = next((step for step in reversed(place) if isinstance(step, str)), "")
    if kind == "extra_forbidden":
        return _unknown(place, document, parent, parts, hints)
    if kind == "missing":
        return _missing(details, (*at, *details["loc"][:-1]), document, parts, hints)
    if kind == "value_error":
        message, _, told = str(context["error"]).partition("\n  ")
        return Problem(span, message, told or None)
    from harness.documents.hints import value_hint

    hint = value_hint(details, document, place, parent, parts) if hints else None
    where = f"'{key}'" if key and isinstance(place[-1], str) else parent.name
    return Problem(span, f"{where} must be {_expected(kind, context)}, saw {describe(seen)}", hint)


def _without_alternative(place: Place, document: Document) -> Place:
    """The place without the name that pydantic has for an alternative of a value."""
    return place[:-1] if isinstance(place[-1], str) and place[:-1] in document.values else place


def _unknown(place: Place, document: Document, part: Part, parts: Mapping[str, Part], hints: bool) -> Problem:
    """The problem of a key that its part does not have."""
    message = f"unknown key '{place[-1]}' in {part.name}"
    from harness.documents.hints import key_hint

    hint = key_hint(document, place, part, parts, _beside(document, place)) if hints else None
    return Problem(document.span(place), message, hint, alike=message)


def _missing(
    details: Any, holder: Place, document: Document, parts: Mapping[str, Part], hints: bool
) -> Problem:
    """The problem of a key that is not there, or is there under another name."""
    part = _part(holder, parts)
    name, given = str(details["loc"][-1]), details["input"]
    for other in given if isinstance(given, Mapping) and hints else ():
        if str(other) not in part.keys and part.meant(str(other), ()) == name:
            return _unknown((*holder, other), document, part, parts, hints)
    message = f"{part.name} needs '{name}'"
    if line := _of_item_above(holder, given, document):
        hint = f"does it belong to the item above? write it without '-', two spaces deeper: {line}"
        return Problem(document.span(holder), message, hint)
    example = part.examples.get(name)
    return Problem(document.span(holder), message, f"write: {example}" if example else None, alike=message)


def _of_item_above(holder: Place, given: Any, document: Document) -> str | None:
    """The line of an item that has nothing but keys which the item above it does not have."""
    if not holder or not isinstance(holder[-1], int) or not isinstance(given, Mapping) or not given:
        return None
    above = _beside(document, (*holder[:-1], holder[-1] - 1, ""))
    if not above or not given.keys().isdisjoint(above):
        return None
    first = next(iter(given))
    return document.rest(document.keys.get((*holder, first))).strip()[:100]


def _beside(document: Document, place: Place) -> list[str]:
    """The keys beside the one at `place`."""
    holder: Any = document.value
    for step in place[:-1]:
        inside = isinstance(holder, dict) or (isinstance(holder, list) and step in range(len(holder)))
        holder = holder[step] if inside else {}
    return list(holder) if isinstance(holder, dict) else []


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
    around = next((parts[step] for step in reversed(steps) if step in parts), parts[""])
    return parts.get(steps[-1], replace(around, name=f"'{steps[-1]}'"))


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
            return f"at least {context['ge']:.12g}"
        case "greater_than":
            return f"more than {context['gt']:.12g}"
        case "less_than_equal":
            return f"at most {context['le']:.12g}"
        case "less_than":
            return f"less than {context['lt']:.12g}"
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


def no_mapping(kind: str, seen: Any) -> tuple[str, str]:
    """The problem of a file of a kind, such as a suite, whose top is no mapping, and what to do."""
    begin = f"begin with '{kind}: name'"
    if seen is None:
        new = ", or have one written: python -m harness new NAME" if kind == "suite" else ""
        return f"the file is empty: it has no {kind}", begin + new
    if isinstance(seen, list) and any(isinstance(item, Mapping) and kind in item for item in seen):
        begin += ", without '- ' before it and the other keys of the file"
    return f"a {kind} is a mapping of keys to values, saw {describe(seen)}", begin
