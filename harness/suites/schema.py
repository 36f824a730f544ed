"""The shapes of a suite file and the scores that it may name in, a JSON Schema for editors out.

Draft 7, which every editor knows. It shows faults of shape while an author types; those that depend on several places of
the file (repeated ids, fields of the prompt, answers among the choices) are left to the reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from harness.errors import first_line
from harness.suites.composed import Composed
from harness.suites.format import GateFormat, ProbeFormat, SuiteFormat, TaskFormat
from harness.suites.generate import GeneratorFormat
from harness.suites.scorer import Scorer

Schema = dict[str, Any]

DIALECT = "http://json-schema.org/draft-07/schema#"
REFERENCE = "#/$defs/{model}"
MODE: JsonSchemaMode = "validation"

AS_WRITTEN = ["string", "number", "boolean"]
"""The types of a probe's texts: a number or a boolean is read as the text that its author wrote."""

ANSWERS: Schema = {
    "anyOf": [{"type": AS_WRITTEN}, {"type": "array", "minItems": 1, "items": {"type": AS_WRITTEN}}]
}
SCORE: Schema = {"$ref": REFERENCE.format(model="score")}
PIECE: Schema = {"$ref": REFERENCE.format(model="piece")}


def suite_schema(scorers: Mapping[str, type[Scorer]]) -> Schema:
    """The schema of a suite file.

    Args:
        scorers: the scores that YAML may name, and whose parameters it may give.
    """
    shapes: list[type[BaseModel]] = [SuiteFormat, ProbeFormat, TaskFormat, GateFormat, GeneratorFormat]
    simple = {name: kind for name, kind in scorers.items() if not issubclass(kind, Composed)}
    shapes += simple.values()
    names, together = models_json_schema([(shape, MODE) for shape in shapes], ref_template=REFERENCE)
    parts: dict[str, Schema] = together["$defs"]

    def name_of(shape: type[BaseModel]) -> str:
        return str(names[shape, MODE]["$ref"]).rpartition("/")[2]

    def part(shape: type[BaseModel]) -> Schema:
        return parts[name_of(shape)]

    parameters = {name: _parameters(kind, part(kind)) for name, kind in simple.items()}
    composed = {name: _of_pieces(kind) for name, kind in scorers.items() if issubclass(kind, Composed)}
    for shape in (SuiteFormat, ProbeFormat):
        part(shape)["properties"]["score"] |= SCORE
    _as_written(part(ProbeFormat))
    part(ProbeFormat)["properties"]["answer"] |= ANSWERS
    _describe_generated(part(GeneratorFormat), part(ProbeFormat))
    part(TaskFormat)["properties"]["shots"]["items"] = {
        "type": "object", "required": ["answer"], "additionalProperties": {"type": AS_WRITTEN},
    }  # fmt: skip
    part(TaskFormat)["properties"]["template"]["additionalProperties"] = {
        "type": ["string", "number", "boolean", "null", "array"],
    }  # fmt: skip
    part(GateFormat)["allOf"] = _gate_rules()
    sources: list[Schema] = [{"required": [key, "gates"]} for key in ("probes", "generators", "probes_from")]
    sources.append({"required": ["from"]})
    suite = part(SuiteFormat) | {"anyOf": sources, "allOf": _answer_rules()}
    gone = {name_of(SuiteFormat), *(name_of(kind) for kind in simple.values())}
    parts = {name: schema for name, schema in parts.items() if name not in gone}
    parts["score"] = _score(scorers, {**parameters, **composed})
    pieces = {name: kind for name, kind in scorers.items() if kind.judges == "generate"}
    parts["piece"] = _score(pieces, {**_with_answers(simple, parameters), **composed}) | {
        "description": "A score within another, which may have an `answer` of its own among its parameters."
    }
    return _whole("A suite of the forgetting gate, format 1", suite, parts)


def shape_schema(shape: type[BaseModel], title: str) -> Schema:
    """The schema of a file with a single shape."""
    schema = shape.model_json_schema(ref_template=REFERENCE, mode=MODE)
    return _whole(title, schema, schema.pop("$defs", {}))


def _whole(title: str, top: Schema, parts: Mapping[str, Schema]) -> Schema:
    return {
        "$schema": DIALECT,
        "$comment": "Made from the code: python -m harness schema --write",
        "title": title,
        **_tidied(top),
        "$defs": {name: _tidied(part) for name, part in sorted(parts.items())},
    }


def _tidied(schema: Any) -> Any:
    """A schema without titles that repeat names, and with no key beside a `$ref`, where draft 7 ignores all."""
    if isinstance(schema, list):
        return [_tidied(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept: Schema = {}
    for key, value in schema.items():
        if key == "title" or (key == "default" and value is None):
            continue
        if key in ("properties", "patternProperties"):
            kept[key] = {name: _tidied(inner) for name, inner in value.items()}
        elif key in ("const", "enum", "default", "required"):
            kept[key] = value
        else:
            kept[key] = " ".join(value.split()) if key == "description" else _tidied(value)
    if "$ref" in kept and len(kept) > 1:
        kept["allOf"] = [{"$ref": kept.pop("$ref")}]
    return _or_nothing(kept)


def _or_nothing(schema: Schema) -> Schema:
    """`X or null` as one schema of two types, for which editors give better messages than for alternatives."""
    match schema.get("anyOf"):
        case [{"type": str() as kind} as written, {"type": "null"}] if "const" not in written:
            found = cast(Schema, written)
            enum = {"enum": [*found["enum"], None]} if "enum" in found else {}
            others = {key: value for key, value in schema.items() if key != "anyOf"}
            return {**found, **enum, "type": [kind, "null"], **others}
    return schema


def _as_written(probe: Schema) -> None:
    """Let every text of a probe, fields of the prompt too, also be a number or a boolean."""
    for name, schema in probe["properties"].items():
        if name not in ("score", "severity"):
            _loosen(schema)
    probe["additionalProperties"] = {"type": AS_WRITTEN, "description": "A field of the prompt."}


def _loosen(schema: Schema) -> None:
    if schema.get("type") == "string":
        schema["type"] = AS_WRITTEN
    for inner in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())):
        _loosen(inner)


def _describe_generated(generator: Schema, probe: Schema) -> None:
    """The keys of a generated probe: those of a probe, but of any type, as a template may have any value."""
    keys = {name: {"description": schema["description"]} for name, schema in probe["properties"].items()}
    for generated in (generator["properties"]["probe"], generator["properties"]["probes"]["items"]):
        generated["properties"] = keys


def _parameters(kind: type[Scorer], shape: Schema) -> Schema:
    """The schema under the name of a score: its fields, or the single field that its short form gives."""
    marker: dict[str, Any] = {}  # found again by identity, wherever the scorer puts it
    given = kind.parameters(marker)
    if given is marker:
        return shape
    field = next((name for name, value in given.items() if value is marker), None)
    return {**shape["properties"][field], "description": shape["description"]} if field else {}


def _of_pieces(kind: type[Composed]) -> Schema:
    """The schema under the name of a score that is made of others."""
    about = {"description": first_line(kind.__doc__ or "")}
    return {**PIECE, **about} if kind.single else {"type": "array", "minItems": 1, "items": PIECE, **about}


def _with_answers(scorers: Mapping[str, type[Scorer]], parameters: Mapping[str, Schema]) -> dict[str, Schema]:
    """The parameters of scores over generated text, as pieces of others, which may have an answer of their own."""
    about = {**ANSWERS, "description": "The right answer of this piece, or a list of which any is right."}
    return {
        name: {**schema, "properties": {"answer": about, **schema.get("properties", {})}}
        if scorers[name].expects != "none"
        else schema
        for name, schema in parameters.items()
        if scorers[name].judges == "generate"
    }


def _score(scorers: Mapping[str, type[Scorer]], parameters: Mapping[str, Schema]) -> Schema:
    """A score: its name, or its name with parameters."""
    names = [name for name, kind in scorers.items() if _needs_nothing(kind)]
    return {
        "description": "A score by its name, or {name: {parameters}}.",
        "anyOf": [
            {"enum": names, "enumDescriptions": [first_line(scorers[name].__doc__ or "") for name in names]},
            {
                "type": "object", "minProperties": 1, "maxProperties": 1,
                "properties": dict(parameters), "additionalProperties": False,
            },
        ],
    }  # fmt: skip


def _needs_nothing(kind: type[Scorer]) -> bool:
    """Whether a score needs no parameters."""
    try:
        kind.model_validate(kind.parameters(None))
    except ValidationError:
        return False
    return True


def _gate_rules() -> list[Schema]:
    """The rules of GateFormat over several keys."""
    not_null: Schema = {"not": {"type": "null"}}  # other types are refused once, at the key itself
    each = {"properties": {"over": {"const": "each"}}, "required": ["over"]}
    return [{
        "if": each,
        "then": {
            "properties": dict.fromkeys(("max_drop", "max_loss", "max_rise", "on_inconclusive"), False)
        },
        "else": {
            "properties": {"require": False},
            "if": {"properties": {"max_rise": not_null}, "required": ["max_rise"]},
            "then": {"properties": {"max_drop": {"type": "null"}, "max_loss": False}},
            "else": {"properties": {"max_drop": not_null}, "required": ["max_drop"]},
        },
    }]  # fmt: skip


def _answer_rules() -> list[Schema]:
    """The keys that the probes of one kind of answer need, and that no others may have."""

    def asks(kind: str) -> Schema:
        answer = {"properties": {"answer": {"const": kind}}, "required": ["answer"]}
        return {"properties": {"task": answer}, "required": ["task"]}

    def probes(kind: str, key: str) -> Schema:
        return {
            "if": asks(kind),
            "then": {"properties": {"probes": {"items": {"required": [key]}}}},
            "else": {"properties": {"probes": {"items": {"properties": {key: False}}}}},
        }

    plain = {"properties": {"task": {"properties": {"format": {"const": "text"}}, "required": ["format"]}}}
    return [
        probes("choose", "choices"),
        probes("likelihood", "text"),
        {"if": asks("likelihood"), "then": plain},
    ]
