"""`init`: begin in one's own repository: a first suite, and what runs it in pytest, pre-commit and CI."""

from __future__ import annotations

import shlex
from argparse import Namespace
from pathlib import Path

from harness.cli.options import Commands
from harness.errors import shown_path
from harness.terminal import show
from harness.writing import write_wanted

MODEL = "./tuned"


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "init",
        help="set up your repository: a first suite, pytest's settings, a workflow, a pre-commit hook",
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(), metavar="FOLDER",
        help="folder of the project (default: this one)",
    )  # fmt: skip
    parser.add_argument("--model", default=MODEL, metavar="REF", help=f"the tuned model (default: {MODEL})")
    parser.add_argument(
        "--baseline", metavar="REF", help="the model before tuning, if the tuned one does not name it"
    )
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Write the files, and print them and what to run next; 0.

    Raises:
        HarnessError: the suite or the workflow exists, or a file cannot be read or written.
    """
    from harness.authoring.starter import next_steps, start

    begun = start(parsed.folder, parsed.model, parsed.baseline)
    for path, text in begun.files.items():
        existed = path.exists()
        write_wanted(path, text, "choose another folder: forgetting-gate init FOLDER")
        show(f"{'added to' if existed else 'wrote'} {shown_path(path)}")
    for note in begun.by_hand:
        show(f"by hand: {note}")
    show("\nnext:")
    if parsed.folder != Path():
        show(f"  cd {shlex.quote(str(parsed.folder))}")
    for step in next_steps(begun, parsed.folder, parsed.model, parsed.baseline):
        show(f"  {step}")
    show("\nIn the workflow and the pre-commit hook, replace OWNER with the owner of the gate's repository.")
    return 0
