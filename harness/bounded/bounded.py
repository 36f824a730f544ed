"""The name of a job and its arguments in, its result out, in bounded time and memory.

A regular expression or a template may take years, and Python cannot interrupt one. So those of a suite or a model are
evaluated in a process of their own (`runner.py`), which is killed when a job takes too much.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from harness.errors import LimitError

RUNNER = Path(__file__).with_name("runner.py")

SECONDS = 1.0
"""The processor time that a job may take."""

SECONDS_MORE = 0.00001
"""The processor time that each character of a job adds to the rest of SECONDS, which all jobs of a process share."""

CLOCK_SECONDS = 20.0
"""The time after which a job is killed on systems that cannot limit processor time."""

MEMORY_MB = 512


class EndedError(Exception):
    """A job that took more time or memory than it may; `str()` says which."""


class Bounded:
    """The process that does the jobs of a module, started for the first job and again after a job has ended it.

    Args:
        module: its `JOBS` are functions by name, which return JSON values.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.owner = 0
        self.end: Callable[[], object] = lambda: None

    def do(self, name: str, **arguments: Any) -> Any:
        """The result of a job; arguments that are not JSON values become text.

        Raises:
            EndedError: it takes too much time or memory.
        """
        line = json.dumps({"name": name, "arguments": arguments}, default=str).encode() + b"\n"
        with self.lock:
            process = self._started()
            try:
                answer = _exchange(process, line)
            except BaseException:  # after Ctrl-C its answer would be read as that of the next job
                self.end()
                raise
            if answer is None:
                code = process.wait()
                self.end()
                raise EndedError(_why_it_ended(code))
        if "memory" in answer:
            raise EndedError(f"takes more than {MEMORY_MB} MB of memory")
        if "error" in answer:
            raise RuntimeError(f"{self.module}.{name}: {answer['error']}")
        return answer["value"]

    def judge(self, name: str, what: str, hint: str, on: str = "", **arguments: Any) -> Any:
        """The result of a job that judges a part of a suite.

        Args:
            what: the part, as its author would call it.
            hint: what to do if it takes too much.
            on: what it was applied to, as the end of the message.

        Raises:
            LimitError: it takes too much time or memory, so it is neither right nor wrong.
        """
        try:
            return self.do(name, **arguments)
        except EndedError as error:
            raise LimitError(f"{what} {error}{on}", hint) from error

    def _started(self) -> subprocess.Popen[bytes]:
        """The process; a fork of this process, which shares its pipes, gets one of its own."""
        process = self.process
        if process is None or self.owner != os.getpid() or process.poll() is not None:
            self.end()
            self.process, self.owner = process, _ = self._start(), os.getpid()
            self.end = weakref.finalize(self, _end, process, self.owner)
        return process

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-I", "-S", "-B", "-X", "utf8", str(RUNNER)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        settings = {
            "path": sys.path,
            "module": self.module,
            "memory_mb": MEMORY_MB,
            "seconds": SECONDS,
            "seconds_more": SECONDS_MORE,
        }
        if _exchange(process, json.dumps(settings).encode() + b"\n") is None:
            _end(process, os.getpid())
            raise EndedError("could not be tried: Python did not start")
        return process


def _exchange(process: subprocess.Popen[bytes], line: bytes) -> dict[str, Any] | None:
    """A line to the process in, the line that it answers out; None if it ended instead."""
    assert process.stdin is not None
    assert process.stdout is not None
    with _clock(process), suppress(OSError):  # the process ended while it was written to
        process.stdin.write(line)
        process.stdin.flush()
        answer = process.stdout.readline()
        if answer.endswith(b"\n"):
            result: dict[str, Any] = json.loads(answer)
            return result
    return None


@contextmanager
def _clock(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill the process after CLOCK_SECONDS on Windows, where it has no timer of its own."""
    if sys.platform != "win32":
        yield
        return
    timer = threading.Timer(CLOCK_SECONDS, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    """End a runner, unless it belongs to the process that this one was forked from."""
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        with suppress(OSError):
            stream.close()
    if owner != os.getpid():
        process.returncode = 0  # so that Popen does not wait for it
        return
    process.kill()
    process.wait()


def _why_it_ended(code: int) -> str:
    """Why a job ended its process."""
    if sys.platform == "win32":
        stopped, after = code == 1, f"{CLOCK_SECONDS:g} s"
    else:
        stopped, after = code == -signal.SIGPROF, f"{SECONDS:g} s of processor time"
    if stopped:
        return f"does not finish: it was stopped after {after}"
    return f"crashes the process that tries it (exit code {code}), perhaps by taking too much memory"
