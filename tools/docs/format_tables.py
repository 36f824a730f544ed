"""Make the manual's tables of every key of a suite and of a recipe, from their JSON Schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from harness.authoring.schemas import SCHEMAS
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
    "from": "TaskSourceFormat",
    "check": "Rule",
}
"""The parts of a suite file: the name of each table, and the definition in the schema."""

RECIPE_PARTS = {
    "recipe": "",
    "corpus": "CorpusFormat",
    "method": "MethodFormat",
    "lora": "LoraFormat",
    "full": "FullFormat",
    "replay": "ReplayFormat",
    "ewc": "EwcFormat",
    "distill": "DistillFormat",
    "masked_kl": "MaskedKlFormat",
    "stm": "StmFormat",
    "flow": "FlowFormat",
    "eaft": "EaftFormat",
    "talr": "TalrFormat",
    "finch": "FinchFormat",
    "sdft": "SdftFormat",
}
"""The same of a recipe."""

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


@cache
def _recipe() -> Schema:
    return SCHEMAS["recipe"]()


def part_schema(part: str) -> Schema:
    """The schema of a part of a suite file or, with `recipe-` in front, of a recipe."""
    of, _, name = part.rpartition("-")
    whole, parts = (_recipe(), RECIPE_PARTS) if of else (_schema(), PARTS)
    found: Schema = whole["$defs"][parts[name]] if parts[name] else whole
    return found


def keys(part: str, examples: Mapping[str, str] | None = None) -> str:
    """The table of the keys of a part; see `part_schema`."""
    return key_table(part_schema(part), examples)


def key_table(schema: Schema, examples: Mapping[str, str] | None = None) -> str:
    """The table of the keys that a schema takes, with an example of each if there are any."""
    required = schema.get("required", ())
    rows = [
        (f"`{name}`", kind(value), _default(value, name in required), value.get("description", ""))
        for name, value in schema["properties"].items()
    ]
    if isinstance(others := schema.get("additionalProperties"), dict):
        rows.append(("any other", kind(others), "", others.get("description", "")))
    if not examples:
        return "\n".join(table(("key", "what it is", "default", "meaning"), rows))
    more = [(*row, f"`{examples[row[0].strip('`')]}`") for row in rows]
    return "\n".join(table(("key", "what it is", "default", "meaning", "example"), more))


def score_schemas() -> Mapping[str, Schema]:
    """The schema of each score's parameters."""
    _, written = _schema()["$defs"]["score"]["anyOf"]
    found: Mapping[str, Schema] = written["properties"]
    return found


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
        return f", {low:.12g} to {high:.12g}"
    if low is not None:
        return f", {low:.12g} or more"
    if "exclusiveMinimum" in schema:
        return f", over {schema['exclusiveMinimum']:.12g}"
    return ""


def _link(reference: str) -> str:
    name = reference.rpartition("/")[2]
    return next((part for part, defined in [*PARTS.items(), *RECIPE_PARTS.items()] if defined == name), name)


def _default(schema: Schema, required: bool) -> str:
    if required:
        return "required"
    if "default" not in schema or schema["default"] in ("", [], {}):
        return ""
    return f"`{json.dumps(schema['default'], ensure_ascii=False)}`".replace('"', "")


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """The lines of a Markdown table."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in row)} |"
