"""`import lm-eval`: a task file of lm-evaluation-harness in, a suite file that gives the same per-item answers out."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from pathlib import Path

from harness.cli.options import Commands, add_allow_outside, reach_of
from harness.command_line import count, whole
from harness.errors import HarnessError, InputError, shown_path
from harness.terminal import say, show
from harness.writing import write_wanted


def add_parser(commands: Commands) -> None:
    """Declare the command, which has one of its own for each tool."""
    imports = commands.add_parser("import", help="turn another tool's task into a suite")
    tools = imports.add_subparsers(required=True, metavar="TOOL")
    parser = tools.add_parser(
        "lm-eval", help="a multiple_choice or generate_until task of lm-evaluation-harness"
    )
    parser.add_argument("task", type=Path, metavar="TASK.yaml", help="the task file")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the suite to write (suites/NAME.yaml)")
    parser.add_argument("--limit", type=count, metavar="N", help="only the first N documents")
    parser.add_argument("--category", metavar="COLUMN", help="the column that gives each probe its category")
    parser.add_argument(
        "--metric", metavar="NAME", help="of a task with several metrics, the one to score by"
    )
    parser.add_argument(
        "--num-fewshot", type=whole, metavar="N", help="how many shots, instead of the file's 'num_fewshot'"
    )
    parser.add_argument("--force", action="store_true", help="write over a suite that is there")
    add_allow_outside(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Write the suite, by default to suites/NAME.yaml, and say what is in it; 0.

    Raises:
        InputError: the task cannot be imported; with every reason.
        HarnessError: the file to write is there already, or an installed score cannot be loaded.
    """
    from harness.authoring.lm_eval.convert import convert
    from harness.authoring.lm_eval.task import read_task

    task = read_task(parsed.task, parsed.metric, parsed.num_fewshot, reach_of(parsed))
    imported = convert(task, parsed.limit, parsed.category)
    out = parsed.out or Path("suites") / f"{imported.name}.yaml"
    if out.exists() and not parsed.force:
        raise HarnessError(
            f"{shown_path(out)} is there already\n  name another file with --out, or add --force"
        )
    _check(imported.text)
    write_wanted(out, imported.text, "name another place: --out FILE")
    for note in imported.notes:
        say(f"note: {note}")
    categories = len({item.category for item in imported.items if item.category is not None})
    inside = f" in {categories} categories" if categories else ""
    show(f"{shown_path(out)}: {imported.name}, {len(imported.items)} probes{inside}")
    return 0


def _check(text: str) -> None:
    """What is written must read; where it does not, the fault is ours."""
    from harness.scoring import load_scorers
    from harness.suites.read import read_suite

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "imported.yaml"
        path.write_text(text, encoding="utf-8", newline="\n")
        try:
            read_suite(path, load_scorers())
        except InputError as error:
            raise AssertionError(f"the imported suite cannot be read:\n{error}") from error
