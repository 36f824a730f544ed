"""Scores that read the answer as data: json, json_schema."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, ClassVar

from pydantic import Field, field_validator

from harness.bounded.bounded import Bounded
from harness.errors import shortened
from harness.scoring.code_blocks import blocks
from harness.scoring.final import first_turn
from harness.scoring.registry import scorer
from harness.suites.scorer import Expects, Scorer
from harness.wording import cut

_START = re.compile(r'\{(?=[ \t\r\n]*["}])|\[(?=[ \t\r\n]*[]\[{"\dtfn-])')
"""Where a JSON object or array may begin."""

_LINE_ENDS = re.compile(r"[ \t.]*(?:[\r\n]|\Z)")

MOST_MARGIN = 100
"""A wider margin before JSON, in characters, is no indentation."""

HINT = "write a smaller schema, and its patterns without a repeat inside a repeat, as in (a+)+"

MOST_STARTS = 1_000
"""At most this many places in an answer at which no JSON begins are tried: each error counts the lines before it."""

MOST_DEPTH = 100
"""An answer that nests deeper is no JSON value: the model is going round in circles."""

NO_JSON = object()
NO_JSON_FOUND = "there is no JSON in it"
MOST_PATH = 80
"""Of a longer path, in characters, the end is shown."""

JOBS = Bounded("harness.bounded.schema_jobs")


Kinds = tuple[type, ...]
"""Which Python types a JSON value may have; () for any."""


def read_json(text: str, kinds: Kinds = ()) -> Any:
    """The JSON value of an answer, or NO_JSON.

    What a model thought before it answered is not read, nor what it answers to a question of its own. The JSON is the whole
    text; else the last block that is JSON of those fenced as `json`, else of the others; else the last object or array that is
    complete and not part of another, one that has its lines for itself before one within a sentence. A value of one of the
    `kinds` goes before all others. NaN, Infinity and numbers too large for a float are not JSON.
    """
    values = list(_values(first_turn(text)))
    wanted = (value for value in values if isinstance(value, kinds or object))
    return next(wanted, values[0] if values else NO_JSON)


def _values(text: str) -> Iterator[Any]:
    """The JSON values of an answer, the likeliest first."""
    fenced = [block for block in reversed(blocks(text)) if block.language is not None]
    fenced.sort(key=lambda block: block.language != "json")
    for candidate in (text, *(block.text for block in fenced)):
        with suppress(ValueError, RecursionError):
            yield _not_deep(_DECODER.decode(candidate))
    within = list(_within(text))[::-1]
    yield from (value for alone in (True, False) for value, is_alone in within if is_alone is alone)


def _within(text: str) -> Iterator[tuple[Any, bool]]:
    """The complete objects and arrays in a text, and whether each has its lines for itself; in linear time.

    What stands in one that breaks off is none.
    """
    place = failed = 0
    while failed < MOST_STARTS and (start := _START.search(text, place)):
        try:
            value, place = _DECODER.raw_decode(text, start.start())
            yield _not_deep(value), _is_alone(text, start.start(), place)
        except json.JSONDecodeError as error:
            place, failed = max(error.pos, start.end()), failed + 1
        except ValueError:  # a number that is none, whose place is not known
            place, failed = start.end(), failed + 1
        except RecursionError:  # give up: the brackets that follow nest about as deep
            return


def _is_alone(text: str, start: int, end: int) -> bool:
    """Whether nothing else stands on the lines of a part of a text."""
    before = "\n" + text[:start] if start <= MOST_MARGIN else text[start - MOST_MARGIN : start]
    _, line_end, margin = before.rpartition("\n")
    return bool(line_end) and not margin.strip() and _LINE_ENDS.match(text, end) is not None


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
    """The answer holds JSON: equal to the probe's `answer` if it has one, else any object or array.
    The JSON is the whole text, else the last fenced block that is JSON (those marked `json` go first), else the last complete
    object or array in the text, one on lines of its own before one in a sentence. What is of the answer's kind, an object or
    an array, goes before all else, so the `[1]` of a footnote is passed over.
    """

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
        wanted = [json.loads(answer) for answer in expected]
        value = read_json(text, tuple(map(type, wanted)) or (dict, list))
        if value is NO_JSON:
            return False
        if not expected:
            return isinstance(value, dict | list)
        return any(same_json(value, answer) for answer in wanted)

    def why(self, text: str, expected: Sequence[str]) -> str | None:
        wanted = [json.loads(answer) for answer in expected]
        value = read_json(text, tuple(map(type, wanted)) or (dict, list))
        if value is NO_JSON:
            return NO_JSON_FOUND
        if not wanted:
            return f"the JSON in it is {_shown(value)}, no object or array"
        return min((_difference(value, answer) for answer in wanted), key=len)


@scorer("json_schema")
class JsonSchema(Scorer):
    """The answer holds JSON that fits a JSON Schema (draft 2020-12), written as the parameter.
    It is found as under `json`; of several values, one of the schema's `type` counts.
    """

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
        value = read_json(text, _kinds_of(self.json_schema))
        if value is NO_JSON:
            return False
        on = f", on {len(text):,} characters"
        return bool(JOBS.judge("fits", "the json_schema", HINT, on, schema=self.json_schema, value=value))

    def why(self, text: str, expected: Sequence[str]) -> str | None:
        value = read_json(text, _kinds_of(self.json_schema))
        if value is NO_JSON:
            return NO_JSON_FOUND
        found: str | None = JOBS.judge("fault", "the json_schema", HINT, schema=self.json_schema, value=value)
        return found


def _kinds_of(schema: dict[str, Any]) -> Kinds:
    """The types of the values that a schema asks for, if they are objects or arrays."""
    named = schema.get("type", ())
    kinds = {"object": dict, "array": list}
    return tuple(kinds[name] for name in ([named] if isinstance(named, str) else named) if name in kinds)


@lru_cache(maxsize=1000)
def _schema_problem(written: str) -> str | None:
    found: str | None = JOBS.judge("problem", "this json_schema", HINT, written=written)
    return found


def _difference(value: Any, wanted: Any, path: str = "") -> str:
    """The path of the first value that is not as wanted, and both: "/items/0: is 3, expected 4"."""
    here = path if len(path) <= MOST_PATH else f"...{path[-MOST_PATH:]}"
    here = here or "the whole"
    match value, wanted:
        case dict(), dict():
            if missing := [key for key in wanted if key not in value]:
                return f"{here}: lacks {_shown(missing[0])}"
            if more := [key for key in value if key not in wanted]:
                return f"{here}: {_shown(more[0])} is not expected"
            steps = [(str(key), value[key], wanted[key]) for key in wanted]
        case list(), list():
            if len(value) != len(wanted):
                return f"{here}: has {len(value)} items, expected {len(wanted)}"
            steps = [(str(place), *pair) for place, pair in enumerate(zip(value, wanted, strict=True))]
        case _:
            return f"{here}: is {_shown(value)}, expected {_shown(wanted)}"
    step, inner, expected = next(step for step in steps if not same_json(step[1], step[2]))
    return _difference(inner, expected, f"{path}/{step}")


def _shown(value: Any) -> str:
    return cut(json.dumps(value, ensure_ascii=False), 40)


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
