"""`schema`: print the JSON Schema of suites, recipes or accepted losses, or write all to docs/ for editors."""

from __future__ import annotations

import json
from argparse import SUPPRESS, Namespace

from harness.cli.options import Commands, add_conftest
from harness.errors import HarnessError
from harness.terminal import show
from harness.writing import write_wanted


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "schema", help="print the JSON Schema of suites, recipes or accepted losses, for editors"
    )
    parser.add_argument(
        "kind",
        nargs="?",
        choices=("suite", "recipe", "accepted"),
        default="suite",
        help="kind of file (default: suite)",
    )
    parser.add_argument("--write", action="store_true", help=SUPPRESS)  # for a checkout: CONTRIBUTING.md
    add_conftest(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Print a schema, or write all; 0. The printed schema of suites includes the scores of packages and `--conftest`.

    Raises:
        HarnessError: the folder docs/ is missing or cannot be written.
    """
    from harness.authoring.schemas import FOLDER, SCHEMAS, schema_file, schema_text
    from harness.scoring import load_scorers
    from harness.suites.schema import suite_schema

    if not parsed.write:
        schema = suite_schema(load_scorers()) if parsed.kind == "suite" else SCHEMAS[parsed.kind]()
        show(json.dumps(schema, indent=2))  # ASCII, so the same in every console and file
        return 0
    if not FOLDER.is_dir():
        raise HarnessError(
            "there is no folder docs/ here\n"
            "  redirect the schema to a file instead: python -m harness schema > suite.schema.json"
        )
    for kind in SCHEMAS:
        write_wanted(schema_file(kind), schema_text(kind), "run it in a writable checkout")
        show(str(schema_file(kind)))
    return 0
