"""Scores that read the answer as data: json, json_schema."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import Any, ClassVar

from pydantic import Field, field_validator

from harness.bounded.bounded import Bounded
from harness.errors import shortened
from harness.scoring.registry import scorer
from harness.suites.scorer import Expects, Scorer

_FENCE = re.compile(r"```[a-zA-Z]*[^\S\n]*\n(.*?)```", re.DOTALL)
_START = re.compile(r'\{(?=[ \t\r\n]*["}])|\[(?=[ \t\r\n]*[]\[{"\dtfn-])')
"""Where a JSON object or array may begin."""

HINT = "write a smaller schema, and its patterns without a repeat inside a repeat, as in (a+)+"

MOST_STARTS = 200
"""At most this many places in an answer are tried: each may fail only at the answer's end."""

MOST_DEPTH = 100
"""An answer that nests deeper is no JSON value: the model is going round in circles."""

NO_JSON = object()

JOBS = Bounded("harness.bounded.schema_jobs")


def read_json(text: str) -> Any:
    """The JSON value of an answer, or NO_JSON.

    The whole text, else its first fenced block that is JSON, else the first object or array in it.
    NaN, Infinity and numbers too large for a float are not JSON.
    """
    for candidate in (text, *_FENCE.findall(text)):
        with suppress(ValueError, RecursionError):
            return _not_deep(_DECODER.decode(candidate))
    with suppress(RecursionError):  # give up: the brackets that follow nest about as deep
        for start in islice(_START.finditer(text), MOST_STARTS):
            with suppress(ValueError):
                return _not_deep(_DECODER.raw_decode(text, start.start())[0])
    return NO_JSON


def _not_deep(value: Any) -> Any:
    """The value; raises RecursionError if it nests deeper than MOST_DEPTH."""
    level = [value]
    for _ in range(MOST_DEPTH + 1):
        level = [item for item in level if isinstance(item, dict | list)]
        if not level:
            return value
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    raise RecursionError


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{shortened(text, 40)} is beyond all bounds")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)


@scorer("json")
class Json(Scorer):
    """The answer holds JSON: equal to the probe's `answer` if it has one, else any object or array."""

    expects: ClassVar[Expects] = "optional"

    def expected_problem(self, expected: str) -> str | None:
        try:
            _not_deep(_DECODER.decode(expected))
        except ValueError as error:
            return f"an answer under 'json' must be JSON: {error}"
        except RecursionError:
            return f"an answer under 'json' nests deeper than {MOST_DEPTH} levels"
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

    expects: ClassVar[Expects] = "none"

    json_schema: dict[str, Any] = Field(min_length=1)

    @classmethod
    def parameters(cls, written: Any) -> Any:
        return {"json_schema": written if written is not None else {}}

    def written(self) -> Any:
        return self.json_schema

    @field_validator("json_schema")
    @classmethod
    def _is_schema(cls, value: dict[str, Any]) -> dict[str, Any]:
        written = json.dumps(value)
        if found := re.search(r'"(\$(?:ref|dynamicRef))":', written):
            raise ValueError(f"a '{found[1]}' is not supported in a json_schema; write the schema out")
        if wrong := _schema_problem(written):
            raise ValueError(f"not a JSON Schema: {wrong}")
        return value

    def right(self, text: str, expected: Sequence[str]) -> bool:
        value = read_json(text)
        if value is NO_JSON:
            return False
        on = f", on {len(text):,} characters"
        return bool(JOBS.judge("fits", "the json_schema", HINT, on, schema=self.json_schema, value=value))


@lru_cache(maxsize=1000)
def _schema_problem(written: str) -> str | None:
    found: str | None = JOBS.judge("problem", "this json_schema", HINT, written=written)
    return found


def same_json(left: Any, right: Any) -> bool:
    """Equality of JSON values: 1.0 equals 1, and `true` does not."""
    match left, right:
        case dict(), dict():
            return left.keys() == right.keys() and all(same_json(left[key], right[key]) for key in left)
        case list(), list():
            return len(left) == len(right) and all(map(same_json, left, right))
        case (bool(), _) | (_, bool()):
            return left is right
    return bool(left == right)
