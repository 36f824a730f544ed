"""`embedded`: convert the embedded model, once, and print its folder."""

from __future__ import annotations

from argparse import Namespace

from harness.cli.options import Commands
from harness.terminal import say, show


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("embedded", help="convert the embedded model, once, and print its folder")
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Convert it; 0. Raises ModelError if it is not installed."""
    from harness.engine.transformers.gguf import ensure_embedded
    from harness.models.embedded import embedded_folder

    ensure_embedded(say)
    show(str(embedded_folder()))
    return 0
