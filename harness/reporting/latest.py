"""The report folder of a run: locked for it, the previous record moved aside, the new one written whole, and its page with it.

record.json          of the latest run, whose status is "unfinished" until it ends
earlier/DATE.json    of each earlier run, by its start; all are kept
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from itertools import chain, count
from pathlib import Path

from harness.documents.text_file import read_bytes
from harness.errors import HarnessError, shown_path
from harness.limits import MOST_RECORD_BYTES
from harness.reporting.formats import render
from harness.reporting.holding import hold, lock_in
from harness.reporting.markdown_text import MARKER
from harness.reporting.record import FILE, read_record, write_record
from harness.reporting.rows import Record
from harness.spelling import option
from harness.writing import ELSEWHERE, PARTIAL, system_fault, write_wanted, writing, writing_report

EARLIER = "earlier"
PAGE, MARKDOWN = b"<!doctype html>", MARKER.encode()
"""How each report begins."""


class Latest:
    """Locks a folder from `claim` to `release`, so that two runs never write the same record.

    Attributes:
        page: where to write the record as a page too, if anywhere.
        markdown: where to write it as Markdown.
    """

    def __init__(self, folder: Path, page: Path | None = None, markdown: Path | None = None) -> None:
        self.folder = folder
        self.page = page
        self.markdown = markdown
        self.path = folder / FILE
        self._lock = lock_in(folder, FILE)

    def claim(self) -> None:
        """Lock the folder, move an older record to `earlier/`, and remove its page and Markdown, which may not be writable later.

        Raises:
            HarnessError: another run has the folder, its record.json is not ours, or it cannot be written.
        """
        with writing_report(self.folder):
            hold(self._lock, self.folder, "report")
            try:
                _clear(self.page, PAGE)
                _clear(self.markdown, MARKDOWN)
                for partial in self.folder.glob(f".{FILE}*{PARTIAL}"):  # of a run that was killed
                    partial.unlink(missing_ok=True)
                if (started := self._started()) is not None:
                    self.path.rename(self._earlier(started))
            except BaseException:
                self.release()
                raise

    def write(self, record: Record) -> Path:
        """Write the record of this run and then its page, each whole or not at all; returns the record's path.

        Raises:
            HarnessError: something else wrote a record.json there meanwhile, or one of both cannot be written.
        """
        with writing_report(self.folder):
            self._started()
        path = write_record(record, self.folder)
        if self.page is not None:
            write_page(record, self.page)
        if self.markdown is not None:
            write_markdown(record, self.markdown)
        return path

    def release(self) -> None:
        """Unlock the folder."""
        self._lock.release()

    def _started(self) -> str | None:
        """The start of the run whose record is there; None without a record."""
        if not self.path.exists():
            return None
        try:
            value = json.loads(read_bytes(self.path, MOST_RECORD_BYTES))
        except (ValueError, RecursionError, IsADirectoryError):
            value = None
        if not isinstance(value, dict) or not {"version", "run", "gates"} <= value.keys():
            raise HarnessError(
                f"{option('report', str(self.folder))}: the {FILE} there is not a record of the gate, and is left as "
                f"it is\n  {ELSEWHERE}"
            )
        run = value["run"]
        return str(run.get("started", "")) if isinstance(run, dict) else ""

    def _earlier(self, started: str) -> Path:
        """A free name, without the colons that Windows and CI artifact stores refuse."""
        folder = self.folder / EARLIER
        folder.mkdir(exist_ok=True)
        stem = re.sub(r"[^\w+-]", "-", started)[:40] or "undated"
        names = chain([stem], (f"{stem}_{n}" for n in count(2)))
        return next(path for name in names if not (path := folder / f"{name}.json").exists())


def record_at(path: Path) -> Record:
    """The record in a file, or in its folder; raises HarnessError as `read_record`."""
    return read_record(path / FILE if path.is_dir() else path)


def write_page(record: Record, path: Path) -> None:
    """Write a record as a page, whole or not at all.

    Raises:
        HarnessError: it cannot be written, or a file that is no page is there: a suite, if the path was forgotten.
    """
    _write_over(path, "report_html", "page", PAGE, lambda: render(record, "html"))


def write_markdown(record: Record, path: Path) -> None:
    """Write a record as Markdown, whole or not at all; raises HarnessError as `write_page` does."""
    _write_over(path, "report_markdown", "report in Markdown", MARKDOWN, lambda: render(record, "markdown"))


def _write_over(path: Path, named: str, what: str, beginning: bytes, text: Callable[[], str]) -> None:
    """Write a file that the option `named` asks for, if none is there or one with that beginning."""
    remedy = f"name another file: {option(named, 'FILE')}"
    with writing(f"{shown_path(path)}: cannot be written", remedy, system_fault):
        taken = path.is_file() and path.stat().st_size > 0 and not _begins_with(path, beginning)
    if taken:
        raise HarnessError(
            f"{shown_path(path)}: a file that is no {what} is there, and is left as it is\n  {remedy}"
        )
    write_wanted(path, text(), remedy)


def _clear(path: Path | None, beginning: bytes) -> None:
    """Remove a report with that beginning; to write over one that cannot be removed says why."""
    with suppress(OSError):
        if path is not None and path.is_file() and _begins_with(path, beginning):
            path.resolve().unlink()  # a link stays a link


def _begins_with(path: Path, beginning: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(beginning)).lower() == beginning
