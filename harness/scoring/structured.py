"""Scores that read the answer as data: json, json_schema."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import Field, field_validator

from harness.scoring.registry import scorer
from harness.suites.scorer import Scorer

_FENCE = re.compile(r"```[a-zA-Z]*\s*\n(.*?)```", re.DOTALL)
NO_JSON = object()


def read_json(text: str) -> Any:
    """The JSON value of an answer, or NO_JSON.

    The whole text, else its first fenced block, else the first object or array that stands in it.
    NaN and Infinity are not JSON.
    """
    candidates = [text, *_FENCE.findall(text)]
    for candidate in candidates:
        try:
            return json.loads(candidate, parse_constant=_refuse)
        except (ValueError, RecursionError):
            continue
    decoder = json.JSONDecoder(parse_constant=_refuse)
    for start in (match.start() for match in re.finditer(r"[{\[]", text)):
        try:
            return decoder.raw_decode(text, start)[0]
        except ValueError:
            continue
        except RecursionError:  # as at the brackets that follow; a model that goes round in circles
            break
    return NO_JSON


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


@scorer("json")
class Json(Scorer):
    """The answer holds JSON: equal to the probe's `answer` if it has one, else any object or array."""

    expects: ClassVar[Literal["required", "optional", "none"]] = "optional"

    def expected_problem(self, expected: str) -> str | None:
        try:
            json.loads(expected, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            return f"an answer under 'json' must be JSON: {error}"
        return None

    def right(self, text: str, expected: Sequence[str]) -> bool:
        value = read_json(text)
        if value is NO_JSON:
            return False
        if not expected:
            return isinstance(value, dict | list)
        return any(same_json(value, json.loads(answer)) for answer in expected)


@scorer("json_schema")
class JsonSchema(Scorer):
    """The answer holds JSON that fits a JSON Schema (draft 2020-12), written as the parameter."""

    expects: ClassVar[Literal["required", "optional", "none"]] = "none"

    json_schema: dict[str, Any] = Field(min_length=1)

    @classmethod
    def parameters(cls, written: Any) -> Any:
        return {"json_schema": written if written is not None else {}}

    def written(self) -> Any:
        return self.json_schema

    @field_validator("json_schema")
    @classmethod
    def _is_schema(cls, value: dict[str, Any]) -> dict[str, Any]:
        if found := re.search(r'"(\$(?:ref|dynamicRef))":', json.dumps(value)):
            raise ValueError(f"a '{found[1]}' is not supported in a json_schema; write the schema out")
        try:
            Draft202012Validator.check_schema(value)
        except SchemaError as error:
            raise ValueError(f"not a JSON Schema: {error.message}") from error
        return value

    def right(self, text: str, expected: Sequence[str]) -> bool:
        value = read_json(text)
        return value is not NO_JSON and Draft202012Validator(self.json_schema).is_valid(value)


def same_json(left: Any, right: Any) -> bool:
    """Equality of JSON values, in which 1.0 is 1 and `true` is not."""
    match left, right:
        case dict(), dict():
            return left.keys() == right.keys() and all(same_json(left[key], right[key]) for key in left)
        case list(), list():
            return len(left) == len(right) and all(map(same_json, left, right))
        case (bool(), _) | (_, bool()):
            return left is right
    return bool(left == right)
