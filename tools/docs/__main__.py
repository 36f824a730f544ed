"""Bring the generated parts of docs/ up to date with `--write`, or check them with `--check`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from harness.errors import HarnessError
from harness.terminal import say
from tools.docs.pages import docs


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; input errors return 4."""
    parser = argparse.ArgumentParser(prog="python -m tools.docs", description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="write the parts that are out of date")
    mode.add_argument("--check", action="store_true", help="exit with 1 if any part is out of date")
    try:
        return docs(parser.parse_args(arguments).write)
    except HarnessError as error:
        say(error.text)
        return 4


if __name__ == "__main__":
    sys.exit(main())
