"""The code in, the JSON Schemas of its files out: printed, or written to docs/ where editors look for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from harness.errors import HarnessError
from harness.scoring import SCORERS
from harness.suites.schema import Schema, shape_schema, suite_schema

FOLDER = Path("docs")


def _recipe() -> Schema:
    from harness.training.recipe import RecipeFormat

    return shape_schema(RecipeFormat, "A recipe of the forgetting gate: how a model fixture is trained")


SCHEMAS: dict[str, Callable[[], Schema]] = {
    "suite": lambda: suite_schema(SCORERS),
    "recipe": _recipe,
}
"""By the kind of file that each is of."""


def schema_file(kind: str, folder: Path = FOLDER) -> Path:
    """Where the schema of a kind of file is kept."""
    return folder / f"{kind}.schema.json"


def schema_text(kind: str) -> str:
    """A schema as it is written down."""
    return json.dumps(SCHEMAS[kind](), indent=2, ensure_ascii=False) + "\n"


def print_schema(kind: str) -> int:
    """Print one schema."""
    print(schema_text(kind), end="")
    return 0


def write_schemas() -> int:
    """Write all of them to docs/; raises HarnessError where there is no such folder."""
    if not FOLDER.is_dir():
        raise HarnessError(
            "no folder docs/ here to write to\n"
            "  elsewhere, send the schema to a file: python -m harness schema > suite.schema.json"
        )
    for kind in SCHEMAS:
        schema_file(kind).write_text(schema_text(kind), encoding="utf-8")
        print(schema_file(kind))
    return 0
