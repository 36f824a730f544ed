"""json and json_schema."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from harness.scoring.structured import NO_JSON, Json, JsonSchema, read_json, same_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        (' [1, 2]\n', [1, 2]),
        ("42", 42),
        ('"x"', "x"),
        ("null", None),
        ('Here:\n```json\n{"a": 1}\n```\nDone.', {"a": 1}),
        ('```\n[1]\n```', [1]),
        ('```json {"a": 1}```', {"a": 1}),
        ('```python\nprint({})\n```\n```json\n{"a": 1}\n```', {"a": 1}),
        ('The object is {"a": [1, {"b": 2}]}, as asked.', {"a": [1, {"b": 2}]}),
        ('First [not json], then {"a": 1}', {"a": 1}),
        ('{"a": 1} and {"b": 2}', {"a": 1}),
        ('{"a": "é\\u00e9"}', {"a": "éé"}),
        ("", NO_JSON),
        ("no data", NO_JSON),
        ("{'a': 1}", NO_JSON),
        ('{"a": 1,}', NO_JSON),
        ("NaN", NO_JSON),
        ('{"a": NaN}', NO_JSON),
        ("[Infinity]", NO_JSON),
        ("[" * 5000, NO_JSON),
        ("9" * 5000, NO_JSON),
    ],
)  # fmt: skip
def test_read_json(text, value):
    assert read_json(text) == value


@pytest.mark.parametrize(
    ("text", "expected", "right"),
    [
        ('{"a": 1, "b": 2}', ['{"b": 2, "a": 1}'], True),
        ('{"a": 1.0}', ['{"a": 1}'], True),
        ('{"a": true}', ['{"a": 1}'], False),
        ("[1, 2]", ["[2, 1]"], False),
        ("[1]", ["[1, 2]"], False),
        ('{"a": 1}', ['{"a": 1, "b": 2}'], False),
        ("42", ["42"], True),
        ("true", ["1"], False),
        ("null", ["null"], True),
        ('"1"', ["1"], False),
        ("[2]", ["[1]", "[2]"], True),
        ("nothing", ["[]"], False),
        ("[]", [], True),
        ("{}", [], True),
        ("42", [], False),
        ("nothing", [], False),
    ],
)
def test_json(text, expected, right):
    assert Json().right(text, expected) is right


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, True), (True, 1, False), (0, False, False), (True, True, True), ("1", 1, False),
        (None, False, False), ({"a": [1.0]}, {"a": [1]}, True), ({"a": [True]}, {"a": [1]}, False), ([], {}, False),
        ([None], [None], True),
    ],
)  # fmt: skip
def test_same_json(left, right, same):
    assert same_json(left, right) is same
    assert same_json(right, left) is same


@pytest.mark.parametrize(
    ("expected", "problem"),
    [
        ("[1]", None),
        ("true", None),
        ("NaN", "an answer under 'json' must be JSON: NaN is not JSON"),
        ("{", "an answer under 'json' must be JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[" * 100_000, "an answer under 'json' nests deeper than 100 levels"),
    ],
    ids=["list", "true", "nan", "open", "deep"],
)  # fmt: skip
def test_json_answers(expected, problem):
    seen = Json().expected_problem(expected)
    assert seen is None if problem is None else seen is not None and seen.startswith(problem)


PERSON = {
    "type": "object",
    "required": ["name", "age"],
    "properties": {"age": {"type": "integer", "minimum": 0}},
}


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ('{"name": "Ana", "age": 30}', True),
        ('Sure!\n```json\n{"name": "Ana", "age": 30}\n```', True),
        ('{"name": "Ana", "age": "30"}', False),
        ('{"name": "Ana", "age": true}', False),
        ('{"name": "Ana"}', False),
        ("[]", False),
        ("Ana is 30.", False),
    ],
)
def test_json_schema(text, right):
    assert JsonSchema(json_schema=PERSON).right(text, []) is right


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "objct"},
        {"pattern": "("},
        {"$ref": "#/x"},
        {"not": {"$dynamicRef": "#x"}},
        {"minimum": "1"},
    ],
)
def test_bad_schemas_are_refused(schema):
    with pytest.raises(ValidationError):
        JsonSchema(json_schema=schema)


def test_a_property_may_be_called_ref_in_words():
    assert JsonSchema(json_schema={"required": ["$ref"]}).right('{"$ref": 1}', [])
