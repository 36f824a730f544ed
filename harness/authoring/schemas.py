"""The JSON Schemas of suites, recipes and accepted losses, as kept for editors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from harness.recipes.format import RecipeFormat
from harness.scoring import BUILT_IN
from harness.suites.accepted import AcceptedFormat
from harness.suites.schema import Schema, shape_schema, suite_schema

FOLDER = Path("docs")
"""The folder in which editors find them."""

SCHEMAS: dict[str, Callable[[], Schema]] = {
    "suite": lambda: suite_schema(BUILT_IN),
    "recipe": lambda: shape_schema(
        RecipeFormat, "A recipe of the forgetting gate: how a model fixture is trained"
    ),
    "accepted": lambda: shape_schema(
        AcceptedFormat, "Accepted losses of the forgetting gate: each names one probe"
    ),
}
"""Makes the schema of each kind of file."""


def schema_file(kind: str, folder: Path = FOLDER) -> Path:
    """The file of a schema."""
    return folder / f"{kind}.schema.json"


def schema_text(kind: str) -> str:
    """A schema as the text of its file."""
    return json.dumps(SCHEMAS[kind](), indent=2, ensure_ascii=False) + "\n"
