"""`doctor`: print what is installed here, and what is wrong with it."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby

from harness.cli.environment import Row, inspect
from harness.cli.options import Commands
from harness.tables import aligned
from harness.terminal import show


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "doctor", help="check this environment: versions, devices, cache and pytest plugins"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Print the environment; 1 if something is wrong with it, else 0."""
    rows = list(inspect())
    faults = [row for row in rows if row.fault]
    if parsed.json:
        show(json.dumps({"usable": not faults, "rows": [asdict(row) for row in rows]}, indent=1))
    else:
        show("\n".join(_lines(rows, faults)))
    return 1 if faults else 0


def _lines(rows: Sequence[Row], faults: Sequence[Row]) -> Iterator[str]:
    for topic, group in groupby(rows, key=lambda row: row.topic):
        yield topic
        yield from aligned(
            [("!" if row.fault else " ", row.name, row.seen, row.wanted) for row in group], left=range(4)
        )
        yield ""
    for fault, remedy in dict.fromkeys((row.fault, row.remedy) for row in faults):
        yield f"! {fault}"
        if remedy:
            yield f"    {remedy}"
    if not faults:
        yield "no problems found"
