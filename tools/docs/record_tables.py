"""Make the tables of docs/record.md from the classes of a record: a row for each key, with the text under its field."""

from __future__ import annotations

import ast
import inspect
from functools import cache

from pydantic import BaseModel

from harness.reporting import diagnosis_rows, equal_rows, rows, run_rows
from harness.reporting.rows import Record
from harness.suites.schema import Schema
from tools.docs.format_tables import kind, table

PARTS: dict[str, type[BaseModel]] = {
    "record": Record,
    "run": rows.RunRow,
    "model": rows.ModelRow,
    "suites": rows.SuiteRow,
    "cases": rows.CasesRow,
    "gates": rows.GateRow,
    "probes": rows.ProbeRow,
    "answer": rows.AnswerRow,
    "again": rows.AgainRow,
    "noise": rows.NoiseRow,
    "sequential": rows.SequentialRow,
    "accepted": rows.AcceptedRow,
    "diagnosis": diagnosis_rows.DiagnosisRow,
    "causes": diagnosis_rows.LossCauseRow,
    "examples": diagnosis_rows.ExampleRow,
    "ways": diagnosis_rows.WayRow,
    "equal": equal_rows.EqualRow,
    "agreement": equal_rows.AgreementRow,
    "difference": equal_rows.DifferenceRow,
    "cause": equal_rows.CauseRow,
}
"""The class of each part, by the name of its table."""


def keys(part: str) -> str:
    """What a part is, and the table of its keys."""
    kept = PARTS[part]
    properties = kept.model_json_schema(mode="validation")["properties"]
    about = [
        (f"`{name}`", _kind(schema), _about()[kept.__name__, name]) for name, schema in properties.items()
    ]
    return "\n".join(
        [inspect.cleandoc(str(kept.__doc__)), "", *table(("key", "what it is", "meaning"), about)]
    )


@cache
def _about() -> dict[tuple[str, str], str]:
    """The text under each field, by class and field."""
    found = {}
    for module in (rows, run_rows, equal_rows, diagnosis_rows):
        classes = [
            node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.ClassDef)
        ]
        for written in classes:
            for field, text in zip(written.body, written.body[1:], strict=False):
                match field, text:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                        value=ast.Constant(value=str(said))
                    ):
                        found[written.name, name] = said
    return found


def _kind(schema: Schema) -> str:
    """The kind of a value; that of another part by a link to its table."""
    if "anyOf" in schema:
        return " or ".join(_kind(option) for option in schema["anyOf"])
    if schema.get("type") == "null":
        return "null"
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        part = next(part for part, kept in PARTS.items() if kept.__name__ == name)
        return f"[{part}](#{part})"
    if "prefixItems" in schema:
        return "low and high"
    if isinstance(values := schema.get("additionalProperties"), dict) and "type" in schema:
        return f"mapping of names to {_kind(values)}"
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    return kind(schema)
