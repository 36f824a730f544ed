"""Make the manual's tables of every key of a suite file, from its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from harness.scoring import BUILT_IN
from harness.suites.schema import AS_WRITTEN, Schema, suite_schema

PARTS = {
    "suite": "",
    "task": "TaskFormat",
    "thinking": "ThinkingFormat",
    "gate": "GateFormat",
    "probe": "ProbeFormat",
    "generator": "GeneratorFormat",
    "draw": "DrawFormat",
    "probes_from": "SourceFormat",
    "check": "Rule",
}
"""The parts of a suite file: the name of each table, and the definition in the schema."""

NAMES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
    "array": "list",
}


@cache
def _schema() -> Schema:
    return suite_schema(BUILT_IN)


def keys(part: str) -> str:
    """The table of the keys of a part of a suite file."""
    schema = _schema()["$defs"][PARTS[part]] if PARTS[part] else _schema()
    required = schema.get("required", ())
    rows = [
        (f"`{name}`", kind(value), _default(value, name in required), value.get("description", ""))
        for name, value in schema["properties"].items()
    ]
    if isinstance(others := schema.get("additionalProperties"), dict):
        rows.append(("any other", kind(others), "", others.get("description", "")))
    return "\n".join(_lines(("key", "what it is", "default", "meaning"), rows))


def scores() -> str:
    """The table of scores and their parameters."""
    _, written = _schema()["$defs"]["score"]["anyOf"]
    rows = []
    for name, parameters in sorted(written["properties"].items()):
        about = str(BUILT_IN[name].__doc__).partition("\n\n")[0]
        rows.append((f"`{name}`", f"`{BUILT_IN[name].judges}`", _parameters(parameters), about))
    return "\n".join(_lines(("score", "answers", "parameters", "right when"), rows))


def _parameters(schema: Schema) -> str:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    if not properties:
        return "none" if schema.get("additionalProperties") is False else "a mapping"
    if properties.keys() == _schema()["$defs"][PARTS["check"]]["properties"].keys():
        return "the keys of a check"
    required = schema.get("required", ())
    return "; ".join(_parameter(name, value, name in required) for name, value in properties.items())


def _parameter(name: str, schema: Schema, required: bool) -> str:
    default = _default(schema, required)
    about = str(schema.get("description", "")).rstrip(".")
    return f"`{name}` ({kind(schema)}{f'; {default}' if default else ''}): {about}"


def kind(schema: Schema) -> str:
    """The kind of a value, in a few words."""
    if "$ref" in schema:
        return _link(schema["$ref"])
    if "allOf" in schema:
        return kind(schema["allOf"][0])
    if "anyOf" in schema:
        return " or ".join(
            dict.fromkeys(kind(option) for option in schema["anyOf"] if option.get("type") != "null")
        )
    if "enum" in schema:
        return ", ".join(f"`{name}`" for name in schema["enum"] if name is not None)
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    kinds = schema.get("type", "anything")
    if isinstance(kinds, list):
        kinds = "string" if kinds == AS_WRITTEN else next(name for name in kinds if name != "null")
    if kinds == "array":
        return f"list of {kind(schema['items']) if schema.get('items') else 'values'}"
    return f"{NAMES.get(kinds, kinds)}{_bounds(schema)}"


def _bounds(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f", {low:g} to {high:g}"
    if low is not None:
        return f", {low:g} or more"
    if "exclusiveMinimum" in schema:
        return f", over {schema['exclusiveMinimum']:g}"
    return ""


def _link(reference: str) -> str:
    name = reference.rpartition("/")[2]
    return next((part for part, defined in PARTS.items() if defined == name), name)


def _default(schema: Schema, required: bool) -> str:
    if required:
        return "required"
    if "default" not in schema or schema["default"] in ("", [], {}):
        return ""
    return f"`{json.dumps(schema['default'], ensure_ascii=False)}`".replace('"', "")


def _lines(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in row)} |"
