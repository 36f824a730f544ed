"""The code in, the JSON Schemas of its files out: printed, or written to docs/ where editors look for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from harness.errors import HarnessError
from harness.scoring import SCORERS, load_scorers
from harness.suites.schema import Schema, shape_schema, suite_schema
from harness.suites.scorer import Scorer
from harness.terminal import show
from harness.writing import write_wanted

FOLDER = Path("docs")


def built_in() -> dict[str, type[Scorer]]:
    """The scores that come with the harness, which is what its documents speak of."""
    return {name: kind for name, kind in SCORERS.items() if kind.__module__.startswith("harness.")}


def _recipe() -> Schema:
    from harness.recipes.format import RecipeFormat

    return shape_schema(RecipeFormat, "A recipe of the forgetting gate: how a model fixture is trained")


SCHEMAS: dict[str, Callable[[], Schema]] = {
    "suite": lambda: suite_schema(built_in()),
    "recipe": _recipe,
}
"""By the kind of file that each is of."""


def schema_file(kind: str, folder: Path = FOLDER) -> Path:
    """Where the schema of a kind of file is kept."""
    return folder / f"{kind}.schema.json"


def schema_text(kind: str) -> str:
    """A schema that comes with the harness, as it is written down."""
    return json.dumps(SCHEMAS[kind](), indent=2, ensure_ascii=False) + "\n"


def print_schema(kind: str) -> int:
    """Print one schema; that of suites has the scores of installed packages and of a user's conftest.py too."""
    schema = suite_schema(load_scorers()) if kind == "suite" else SCHEMAS[kind]()
    show(json.dumps(schema, indent=2))  # in ASCII, so that it is the same in every console and file
    return 0


def write_schemas() -> int:
    """Write all of them to docs/; raises HarnessError where there is no such folder."""
    if not FOLDER.is_dir():
        raise HarnessError(
            "no folder docs/ here to write to\n"
            "  elsewhere, send the schema to a file: python -m harness schema > suite.schema.json"
        )
    for kind in SCHEMAS:
        write_wanted(schema_file(kind), schema_text(kind), "run it in a checkout that can be written")
        show(str(schema_file(kind)))
    return 0
