"""A Jinja template of another's and its values in, its text out, in bounded time and memory.

A template is a program: it may loop for ever, or ask for more memory than there is. Jinja's sandbox bounds neither, so
templates are rendered in a process of their own (`jinja_runner.py`), which is ended when one takes too much.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

RUNNER = Path(__file__).with_name("jinja_runner.py")

SECONDS = 1.0
"""Of processor time that a template may take."""

SECONDS_MORE = 0.01
"""Of processor time by which what is left of SECONDS grows with each text; a real template takes a thousandth."""

CLOCK_SECONDS = 20.0
"""After which a text that did not come is given up, where a process cannot be given a bound of processor time."""

MEMORY_MB = 512
MOST_CHARACTERS = 10_000_000
"""Of one text."""

MOST_OF_TEMPLATE = 1_000_000
"""Characters of a template; the longest that models come with have some ten thousand."""

Dialect = Literal["chat", "task"]
"""What a template may use: chat templates as transformers has it, templates of tasks as lm-evaluation-harness has it."""


class TemplateError(Exception):
    """A template that gives no text, with what it says itself; or that is none."""


class TemplateLimitError(TemplateError):
    """A template that takes more than it may; `str()` says of what."""


@dataclass(frozen=True)
class Uses:
    """What stands in a template: the names that it takes from outside, and its texts, but for comments."""

    names: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()


def render_template(dialect: Dialect, template: str, values: Mapping[str, Any], today: str = "") -> str:
    """The text that a template gives.

    Args:
        values: what it may use; what JSON does not know becomes text.
        today: the day that a chat template is shown, as ISO 8601 has it.

    Raises:
        TemplateError: it gives none; a TemplateLimitError where it takes too much.
    """
    job = {
        "job": "render", "dialect": dialect, "template": _checked(template), "values": dict(values), "today": today,
    }  # fmt: skip
    return str(_runner().ask(job)["text"])


def template_uses(dialect: Dialect, template: str) -> Uses:
    """What stands in a template; raises TemplateError where it is none."""
    answer = _runner().ask({"job": "uses", "dialect": dialect, "template": _checked(template)})
    return Uses(frozenset(answer["names"]), tuple(answer["texts"]))


def _checked(template: str) -> str:
    if len(template) > MOST_OF_TEMPLATE:
        raise TemplateLimitError(
            f"has {len(template):,} characters, and a template may have {MOST_OF_TEMPLATE:,}"
        )
    return template


@cache
def _runner() -> _Runner:
    return _Runner()


class _Runner:
    """The process that renders: started when it is first asked, and again after a template has ended it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.owner = 0
        self.end: Callable[[], object] = lambda: None

    def ask(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """What the runner answers to a job; raises TemplateError."""
        line = json.dumps(job, default=str).encode() + b"\n"
        with self.lock:
            process = self._started()
            try:
                answer = _exchange(process, line)
            except BaseException:  # Ctrl-C: its answer would be taken for that of the next job
                self.end()
                raise
            if answer is None:
                code = process.wait()
                self.end()
                raise TemplateLimitError(_why_it_ended(code))
        if "error" in answer:
            raise TemplateError(answer["error"])
        if answer.get("limit") == "length":
            raise TemplateLimitError(
                f"gives a text of {answer['length']:,} characters, and a text may have {MOST_CHARACTERS:,}"
            )
        if "limit" in answer:
            raise TemplateLimitError(f"takes more than {MEMORY_MB} MB of memory for one text")
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        """The process; a fork of the one that started it gets its own."""
        process = self.process
        if process is None or self.owner != os.getpid() or process.poll() is not None:
            self.end()
            self.process, self.owner = process, _ = _start(), os.getpid()
            self.end = weakref.finalize(self, _end, process, self.owner)
        return process


def _start() -> subprocess.Popen[bytes]:
    """A runner that is ready.

    Raises:
        TemplateError: Python could not be started.
    """
    command = [sys.executable, "-I", "-S", "-B", "-X", "utf8", str(RUNNER)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    settings = {
        "path": sys.path,
        "memory_mb": MEMORY_MB,
        "seconds": SECONDS,
        "seconds_more": SECONDS_MORE,
        "most": MOST_CHARACTERS,
    }
    if _exchange(process, json.dumps(settings).encode() + b"\n") is None:
        _end(process, os.getpid())
        raise TemplateError("Python could not be started to render it")
    return process


def _exchange(process: subprocess.Popen[bytes], line: bytes) -> dict[str, Any] | None:
    """A line to the process, and the one that it answers; None where it ended instead."""
    assert process.stdin is not None
    assert process.stdout is not None
    with (
        _clock(process),
        suppress(OSError),
    ):  # where it ended while it was written to, there is nothing to be read
        process.stdin.write(line)
        process.stdin.flush()
        answer = process.stdout.readline()
        if answer.endswith(b"\n"):
            found: dict[str, Any] = json.loads(answer)
            return found
    return None


@contextmanager
def _clock(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End the process after CLOCK_SECONDS, where it has no timer of its own (Windows)."""
    if hasattr(signal, "setitimer"):
        yield
        return
    timer = threading.Timer(CLOCK_SECONDS, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    """End a runner, unless it is another process's, of which this one is a fork."""
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        with suppress(OSError):
            stream.close()
    if owner != os.getpid():
        process.returncode = 0  # or it would be waited for
        return
    process.kill()
    process.wait()


def _why_it_ended(code: int) -> str:
    """What a template did that ended its process."""
    if hasattr(signal, "setitimer") and code != -signal.SIGPROF:
        return f"breaks what renders it (exit code {code}), as one that takes too much memory does"
    return f"does not come to an end: it was stopped after {SECONDS:g} s of processor time"
