"""Work that one of several processes does for all: a lock, a mark that it has begun, and a file with what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from harness.writing import write_whole


class DiedError(Exception):
    """The process that began some work died; another one that did the same would die too."""


class Task:
    """Work whose result is the JSON file `path`.

    Its lock is the system's, which releases it where a process dies, so nobody waits for one that is gone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begun = path.with_suffix(".begun")

    @property
    def is_free(self) -> bool:
        """Whether nobody has begun it."""
        return not self._begun.exists()

    @property
    def is_known(self) -> bool:
        """Whether there is a result."""
        return self.path.exists()

    def do(self, work: Callable[[], str]) -> bool:
        """Do the work, which gives JSON text, unless another process does or did it; False while another is at it.

        Raises:
            DiedError: the process that began it died, or failed otherwise than by its result.
        """
        try:
            lock = FileLock(self.path.with_suffix(".lock")).acquire(timeout=0)
        except Timeout:
            return False
        with lock:
            if not self.is_known:
                if not self.is_free:
                    raise DiedError
                self._begun.touch()
                write_whole(self.path, work())
        return True

    def result(self) -> Any:
        """What came of it, once that is known."""
        return json.loads(self.path.read_text(encoding="utf-8"))
