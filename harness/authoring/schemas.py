"""The code in, the JSON Schemas of its files out: of suites and of recipes, as they are kept for editors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from harness.recipes.format import RecipeFormat
from harness.scoring import BUILT_IN
from harness.suites.schema import Schema, shape_schema, suite_schema

FOLDER = Path("docs")
"""Where editors look for them."""

SCHEMAS: dict[str, Callable[[], Schema]] = {
    "suite": lambda: suite_schema(BUILT_IN),
    "recipe": lambda: shape_schema(
        RecipeFormat, "A recipe of the forgetting gate: how a model fixture is trained"
    ),
}
"""By the kind of file that each is of."""


def schema_file(kind: str, folder: Path = FOLDER) -> Path:
    """Where the schema of a kind of file is kept."""
    return folder / f"{kind}.schema.json"


def schema_text(kind: str) -> str:
    """A schema that comes with the harness, as it is written down."""
    return json.dumps(SCHEMAS[kind](), indent=2, ensure_ascii=False) + "\n"
