"""The folder of the last run's record, held for one run: an older record moves aside, the new one is written whole.

record.json          the last run's, unfinished from its start on
earlier/DATE.json    those of the runs before, by the date at which they started
"""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path

from filelock import FileLock, Timeout

from harness.errors import HarnessError
from harness.reporting.record import FILE, Record, write_record
from harness.spelling import option
from harness.writing import ELSEWHERE, PARTIAL

LOCK = f".{FILE}.lock"
EARLIER = "earlier"


class Latest:
    """Holds a folder from `claim` to `release`, so that two runs do not write into each other's record."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / FILE
        self._lock = FileLock(str(folder / LOCK), thread_local=False)

    def claim(self) -> None:
        """Hold the folder, and move an older record to `earlier/`.

        Raises:
            HarnessError: another run holds the folder, or its record.json is not one of ours.
            OSError: nothing can be written there.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except NotImplementedError as error:  # what filelock makes of ENOSYS
            raise OSError(errno.ENOSYS, "no file can be locked there") from error
        except Timeout as error:
            raise HarnessError(
                f"{option('report', str(self.folder))}: another run is writing its record there\n"
                f"  wait until it ends, or give this run a folder of its own: {option('report', 'DIR')}"
            ) from error
        try:
            for half in self.folder.glob(f".{FILE}*{PARTIAL}"):  # of a run that was killed
                half.unlink(missing_ok=True)
            if (started := self._started()) is not None:
                self.path.rename(self._earlier(started))
        except BaseException:
            self.release()
            raise

    def write(self, record: Record) -> Path:
        """Write the record of this run, whole or not at all; returns its path.

        Raises:
            HarnessError: meanwhile something else wrote a record.json there.
            OSError: it cannot be written.
        """
        self._started()
        return write_record(record, self.folder)

    def release(self) -> None:
        """Let other runs have the folder."""
        self._lock.release()

    def _started(self) -> str | None:
        """When the run of the record began that is there; None if there is none."""
        if not self.path.exists():
            return None
        try:
            value = json.loads(self.path.read_text(encoding="utf-8"))
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
        """A free name; without colons, which Windows and CI's stores of artifacts refuse."""
        folder = self.folder / EARLIER
        folder.mkdir(exist_ok=True)
        stem = re.sub(r"[^\w+-]", "-", started)[:40] or "undated"
        path, n = folder / f"{stem}.json", 1
        while path.exists():
            n += 1
            path = folder / f"{stem}-{n}.json"
        return path
