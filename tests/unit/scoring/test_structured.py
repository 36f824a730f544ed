"""json and json_schema."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from harness.bounded.schema_jobs import problem
from harness.scoring.structured import NO_JSON, Json, JsonSchema, read_json, same_json

SCHEMA_KEYS = (
    "type", "properties", "required", "items", "prefixItems", "pattern", "patternProperties", "additionalProperties",
    "multipleOf", "minimum", "minLength", "uniqueItems", "enum", "const", "allOf", "not", "if", "contains", "propertyNames",
    "dependentRequired", "dependentSchemas", "unevaluatedItems", "format", "title", "$id", "$defs", "dependencies", "definitions",
)  # fmt: skip


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
        ('{"a": 1} and {"b": 2}', {"b": 2}),
        ('{"a": 1}\n\nUser: And b?\nAssistant: {"b": 2}', {"a": 1}),
        ('~~~json\n{"a": 1}\n~~~\nNot {"b": 2}.', {"a": 1}),
        ('```json\n{"a": 1}', {"a": 1}),
        ('```json\n{"a": 1}\n```\n```\n{"b": 2}\n```', {"a": 1}),
        ('```json\n{"a": 1}\n```\n```JSON\n{"b": 2}\n```', {"b": 2}),
        ('```python\ndata = {"a": 1}\n```', {"a": 1}),
        ('{"a": 1}\n\nSee [1].', {"a": 1}),
        ('{"a": 1}\n\n  {"b": 2}\nAs in {"c": 3}', {"b": 2}),
        (' ' * 200 + '{"a": 1}\nor {"b": 2}', {"b": 2}),
        ('{"a": [1, 2], b: 3}', NO_JSON),
        ('{"a": [1, 2], b: 3} or [4]', [4]),
        ('{"a": 1, "b": {"c": 2}', NO_JSON),
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
    ("text", "kinds", "value"),
    [
        ('Step [1]: {"a": 1}', (dict,), {"a": 1}),
        ('{"a": 1}, see [1]', (dict,), {"a": 1}),
        ('{"a": 1}, see [1]', (list,), [1]),
        ('{"a": 1}, see [1]', (), [1]),
        ('```json\n[1]\n```\nor {"a": 1}', (dict,), {"a": 1}),
        ("[1]", (dict,), [1]),
        ('The object {"a": 1}.', (list,), {"a": 1}),
    ],
)
def test_a_value_of_the_kind_that_is_looked_for_goes_first(text, kinds, value):
    assert read_json(text, kinds) == value


@pytest.mark.parametrize(
    ("text", "expected", "right"),
    [
        ('First [1], then [2]: {"a": 1}', ['{"a": 1}'], True),
        ('{"a": 1} as in [2]', ['{"a": 1}'], True),
        ('{"a": 1}, no, {"a": 2}', ['{"a": 1}'], False),
        ('{"a": 1}, no, {"a": 2}', ['{"a": 2}'], True),
        ('{"a": 1}, no, {"a": 2}', [], True),
        ("true", ["[1]", "true"], True),
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
        ('Ana [1] is {"name": "Ana", "age": 30}, says [2].', True),
    ],
)
def test_json_schema(text, right):
    assert JsonSchema(json_schema=PERSON).right(text, []) is right


@pytest.mark.parametrize(
    ("schema", "right"),
    [
        ({"type": "array"}, True),
        ({"type": ["object", "array"]}, True),
        ({"type": "object", "required": ["a"]}, True),
        ({"required": ["a"]}, True),
        ({"type": "string"}, False),
    ],
    ids=str,
)
def test_a_schema_asks_for_a_kind(schema, right):
    assert JsonSchema(json_schema=schema).right('{"a": 1} [1]', []) is right


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


# Without end, or beyond all bounds


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e999", NO_JSON),
        ('{"a": -1e999}', NO_JSON),
        ('{"a": 1e999} then [2]', [2]),
        ("9" * 4300, int("9" * 4300)),
        ('{"a": ' + "9" * 4301 + "}", NO_JSON),
        ("[" * 100 + "]" * 100, json.loads("[" * 100 + "]" * 100)),
        ("[" * 101 + "]" * 101, NO_JSON),
        ('{"a":' * 101 + "1" + "}" * 101, NO_JSON),
        ("[" * 300 + "]" * 300, NO_JSON),
        ("[" * 5000 + "\n```\n[1]\n```", [1]),
        ("[x " * 150 + '{"a": 1}', {"a": 1}),
        ("[ \n 1]", [1]),
        ("{ \n }", {}),
        ("x [ \n ] y", []),
        ("x [ - 1] y [-1]", [-1]),
        ("```\n\n\n[1]\n```", [1]),
        ("``` \t\n[1]```", [1]),
    ],
)  # fmt: skip
def test_what_a_model_writes_without_end_is_no_json(text, value):
    assert read_json(text) == value


@pytest.mark.parametrize(
    ("factor", "number", "right"),
    [
        (0.1, "0.3", True), (0.01, "19.99", True), (0.01, "0.015", False), (3, "9", True), (3, "10", False),
        (1e-308, "1e308", True), (1e308, "1e-308", False), (5e-324, "1", True), (0.5, "1" + "0" * 4000, True),
        (0.7, "1" + "0" * 4000, False), (10**300, "1" + "0" * 301, True), (2, "1e999", False), (2, '"x"', True),
        (1, "2.0", True), (2, "-4", True), (0.1, "0", True),
    ],
    ids=str,
)  # fmt: skip
def test_multiples_are_exact_and_overflow_nowhere(factor, number, right):
    assert JsonSchema(json_schema={"multipleOf": factor}).right(number, []) is right


@pytest.mark.parametrize(
    ("items", "unique"),
    [
        ('[1, true, 0, false, null, "1", "", [1], [true], {"a": 1}, {"a": true}, [], {}]', True),
        ("[1, 1.0]", False), ('["a", "a"]', False), ('[{"a": 1, "b": [2]}, {"b": [2.0], "a": 1}]', False),
        ("[[], []]", False), ("[null, null]", False), ("[[1, 2], [2, 1]]", True), ('{"a": 1}', True),
        (json.dumps([{"a": n} for n in range(5000)]), True),
        (json.dumps([{"a": n % 4999} for n in range(5000)]), False),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_unique_items(items, unique):
    assert JsonSchema(json_schema={"uniqueItems": True}).right(items, []) is unique


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"pattern": "("}, "not a JSON Schema: '(' is not a 'regex'"),
        ({"patternProperties": {"(": {}}}, "not a JSON Schema: '(' is not a 'regex'"),
        ({"properties": {"a": {"required": "b"}}}, "not a JSON Schema: 'b' is not of type 'array'"),
        ({"multipleOf": 0}, "not a JSON Schema: 0 is less than or equal to the minimum of 0"),
        ({"dependentRequired": {"a": ["b", "b"]}}, "not a JSON Schema: ['b', 'b'] has non-unique elements"),
    ],
)
def test_what_is_wrong_with_a_schema(schema, message):
    with pytest.raises(ValidationError, match=re.escape(message)):
        JsonSchema(json_schema=schema)


SCHEMAS = st.recursive(
    st.none() | st.booleans() | st.sampled_from([-1, 0, 0.5, "string", "(", "#x", ["a", "a"], ["string"]]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*SCHEMA_KEYS, "type", "pattern", "required", "multipleOf", "$id", "$anchor", "a"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(SCHEMA_KEYS), SCHEMAS, max_size=3))
def test_a_schema_is_what_the_draft_says_it_is(schema):
    sound = Draft202012Validator(
        Draft202012Validator.META_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER
    ).is_valid(schema)
    assert (problem(json.dumps(schema)) is None) is sound
