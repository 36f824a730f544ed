"""`import lm-eval`: turn a task file of lm-evaluation-harness into a suite with the same result for every item."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from harness.cli.options import NAME_ANOTHER, Commands, add_allow_outside, add_out, check_free, reach_of
from harness.command_line import count, whole
from harness.errors import shown_path
from harness.terminal import say, show
from harness.writing import write_wanted


def add_parser(commands: Commands) -> None:
    """Declare the command, with a subcommand for each tool."""
    imports = commands.add_parser("import", help="turn another tool's task into a suite")
    tools = imports.add_subparsers(required=True, metavar="TOOL")
    parser = tools.add_parser(
        "lm-eval", help="import a multiple_choice or generate_until task of lm-evaluation-harness"
    )
    parser.add_argument("task", type=Path, metavar="TASK.yaml", help="task file")
    parser.add_argument("--limit", type=count, metavar="N", help="import only the first N documents")
    parser.add_argument("--category", metavar="COLUMN", help="column that gives each probe its category")
    parser.add_argument(
        "--metric", metavar="NAME", help="metric to score by (default: the first that is supported)"
    )
    parser.add_argument(
        "--num-fewshot", type=whole, metavar="N", help="number of shots (default: the file's 'num_fewshot')"
    )
    add_out(parser, "suites/NAME.yaml")
    add_allow_outside(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Write the suite and print a summary; 0.

    Raises:
        InputError: the task cannot be imported; with every reason.
        HarnessError: the output file exists, or an installed score cannot be loaded.
    """
    from harness.authoring.lm_eval.convert import convert
    from harness.authoring.lm_eval.read import read_task
    from harness.scoring import load_scorers
    from harness.suites.read import read_suite

    scorers = load_scorers()  # before anything is written
    task = read_task(parsed.task, parsed.metric, parsed.num_fewshot, reach_of(parsed))
    imported = convert(task, parsed.limit, parsed.category)
    out = parsed.out or Path("suites") / f"{imported.name}.yaml"
    check_free(out, parsed.force)
    write_wanted(out, imported.text, NAME_ANOTHER)
    read_suite(out, scorers)  # a suite that cannot be read is better known now than at the first run
    for note in imported.notes:
        say(f"note: {note}")
    categories = len({item.category for item in imported.items if item.category is not None})
    inside = f" in {categories} categories" if categories else ""
    show(f"{shown_path(out)}: {imported.name}, {len(imported.items)} probes{inside}")
    return 0
