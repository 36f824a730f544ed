"""`schema`: the JSON Schema of suite files or recipes printed, or both written to docs/, where editors look for them."""

from __future__ import annotations

import json
from argparse import Namespace

from harness.cli.options import Commands, add_conftest
from harness.errors import HarnessError
from harness.terminal import show
from harness.writing import write_wanted


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("schema", help="the JSON Schema of suite files (or recipes), for editors")
    parser.add_argument(
        "kind", nargs="?", choices=("suite", "recipe"), default="suite", help="of which file (suite)"
    )
    parser.add_argument("--write", action="store_true", help="write both to docs/ instead")
    add_conftest(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Print a schema, that of suites with the scores of installed packages and of a user's conftest.py too; or write both; 0.

    Raises:
        HarnessError: there is no folder docs/ to write to, or it cannot be written.
    """
    from harness.authoring.schemas import SCHEMAS
    from harness.scoring import load_scorers
    from harness.suites.schema import suite_schema

    if parsed.write:
        return _write()
    schema = suite_schema(load_scorers()) if parsed.kind == "suite" else SCHEMAS[parsed.kind]()
    show(json.dumps(schema, indent=2))  # in ASCII, so that it is the same in every console and file
    return 0


def _write() -> int:
    from harness.authoring.schemas import FOLDER, SCHEMAS, schema_file, schema_text

    if not FOLDER.is_dir():
        raise HarnessError(
            "no folder docs/ here to write to\n"
            "  elsewhere, send the schema to a file: python -m harness schema > suite.schema.json"
        )
    for kind in SCHEMAS:
        write_wanted(schema_file(kind), schema_text(kind), "run it in a checkout that can be written")
        show(str(schema_file(kind)))
    return 0
