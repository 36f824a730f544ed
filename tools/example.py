"""Render the committed example runs again, from their records: `--write` writes what is out of date, `--check` only says it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.reporting.formats import render
from harness.reporting.record import FILE, read_record
from harness.terminal import say, show

EXAMPLE = Path(__file__).parent.parent / "reports" / "example"
RENDERED = {"page.html": "html", "summary.md": "markdown", "picture.svg": "svg"}


def stale(folder: Path) -> Iterator[tuple[Path, str]]:
    """The files beside the records in `folder` that their record no longer gives, and what it does give."""
    for path in sorted(folder.glob(f"*/{FILE}")):
        record = read_record(path)
        for name, form in RENDERED.items():
            file, text = path.with_name(name), render(record, form)
            if not file.is_file() or file.read_text(encoding="utf-8") != text:
                yield file, text


def main(arguments: Sequence[str] | None = None, folder: Path = EXAMPLE) -> int:
    """0, or 1 if `--check` found any file out of date."""
    parser = argparse.ArgumentParser(prog="python -m tools.example", description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="write the files that are out of date")
    mode.add_argument("--check", action="store_true", help="exit with 1 if any is out of date")
    write = parser.parse_args(arguments).write
    found = list(stale(folder))
    for file, text in found:
        if write:
            file.write_text(text, encoding="utf-8")
            show(f"{file.relative_to(folder)}: written")
        else:
            say(f"{file.relative_to(folder)}: out of date; run: python -m tools.example --write")
    return int(bool(found) and not write)


if __name__ == "__main__":
    sys.exit(main())
