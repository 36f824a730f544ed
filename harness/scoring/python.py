"""The score `python`: an answer with code in, whether the suite's tests hold of that code out.

The code runs in a process of its own, in an empty folder that is removed, with an empty environment and only the
standard library; time, memory, open files and the size of a file are bounded, and on Linux (x86-64 and arm64) it
can start no process, send no signal and open no socket. That keeps a model's mistakes from doing harm.
It is not a security boundary: the code can read, and within the bounds write, whatever the user who runs the
tests can, and code written to deceive this very runner could. So it is off unless `--allow-code` is given; where
models are not trusted, run the tests in a container.
"""

from __future__ import annotations

import ast
import json
import math
import os
import re
import secrets
import selectors
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from harness.errors import ScorerError
from harness.scoring.registry import scorer
from harness.suites.scorer import Scorer

RUNNER = Path(__file__).with_name("python_runner.py")
SECONDS_TO_START = 60.0
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n`]*\n(.*?)(?:^[ \t]*\1|\Z)", re.DOTALL | re.MULTILINE)


def _is_test(test: str) -> str:
    """A test as it was written; ValueError for one that is not Python or that cannot fail."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # `assert (x, "message")` is always true, and Python warns of it
            compile(test, "<test>", "exec", dont_inherit=True)
        body = ast.parse(test).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"a test must be Python, saw {test[:60]!r}: {error}") from error
    if not body:
        raise ValueError(f"a test must be a statement, saw {test[:60]!r}")
    if any(isinstance(step, ast.Expr) and isinstance(step.value, ast.Compare | ast.BoolOp) for step in body):
        raise ValueError(
            f"a test that only compares cannot fail, saw {test[:60]!r}; write 'assert' before it"
        )
    return test


def _one_can_fail(tests: list[str]) -> list[str]:
    if not any(
        isinstance(step, ast.Assert | ast.Raise) for test in tests for step in ast.walk(ast.parse(test))
    ):
        raise ValueError("no test has an 'assert' or a 'raise': nothing could be wrong but code that breaks")
    return tests


@scorer("python")
class Python(Scorer):
    """The answer's code (its first fenced block, else all of it) runs, and every test holds of it.

    Tests are Python statements, such as `assert add(1, 2) == 3`, run in order where the code ran. Needs
    `--allow-code`, and bounds time and memory but is no security boundary.
    """

    expects: ClassVar[Literal["required", "optional", "none"]] = "none"
    runs_code: ClassVar[bool] = True

    tests: Annotated[
        list[Annotated[str, AfterValidator(_is_test)]], Field(min_length=1), AfterValidator(_one_can_fail)
    ] = Field(description="Python statements that must all run and hold after the answer's code.")
    timeout: Annotated[float, Field(gt=0, le=3600)] = Field(
        5.0, description="Seconds after which code that still runs is wrong."
    )
    memory_mb: Annotated[int, Field(ge=64)] = Field(
        256, description="Megabytes of address space; Python itself takes about 20."
    )

    def right(self, text: str, expected: Sequence[str]) -> bool:
        return holds(code_of(text), self.tests, self.timeout, self.memory_mb)


def code_of(text: str) -> str:
    """The code of an answer: its first fenced block, which may lack its end, else the whole text."""
    found = _FENCE.search(text)
    return textwrap.dedent(found[2] if found else text)


def holds(code: str, tests: Sequence[str], timeout: float, memory_mb: int) -> bool:
    """Whether `code` runs and every one of `tests` after it, within `timeout` seconds and `memory_mb` megabytes.

    Raises:
        ScorerError: Python could not be started; that says nothing of the code.
    """
    if os.name != "posix":
        raise ScorerError("the score 'python' bounds what it runs by POSIX limits, which this system has not")
    ready, token = secrets.token_hex(16), secrets.token_hex(16)
    job = {
        "ready": ready,
        "token": token,
        "code": code,
        "tests": list(tests),
        "seconds": math.ceil(timeout) + 1,  # of processor time, should the clock's limit ever be escaped
        "memory_mb": memory_mb,
    }
    with (
        tempfile.TemporaryDirectory(prefix="answer-", ignore_cleanup_errors=True) as folder,
        _start(folder) as process,
    ):
        try:
            return _watch(process, json.dumps(job).encode(), ready.encode(), token.encode(), timeout)
        finally:
            # Before it is waited for, so that its group's number cannot be another's by now.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


def _start(folder: str) -> subprocess.Popen[bytes]:
    # As `-I` does, but for the environment: sets must have one order for both models. The runner clears it.
    command = [sys.executable, "-s", "-S", "-P", "-B", "-X", "utf8", str(RUNNER)]
    return subprocess.Popen(
        command,
        cwd=folder,
        env={"PYTHONHASHSEED": "0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _watch(process: subprocess.Popen[bytes], job: bytes, ready: bytes, token: bytes, timeout: float) -> bool:
    """Give the runner its job, wait until it is ready, and see whether the token comes back in time."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with suppress(BrokenPipeError):  # it broke, which the next line sees
        process.stdin.write(job)
    with suppress(BrokenPipeError):
        process.stdin.close()
    if _read(process.stdout, len(ready), SECONDS_TO_START) != ready:
        said = _read(process.stderr, 10_000, 1.0).decode(errors="replace").strip().splitlines()
        raise ScorerError(
            f"Python could not be started for an answer's code: {said[-1] if said else 'it said nothing'}"
        )
    return _read(process.stdout, len(token), timeout) == token


def _read(stream: IO[bytes], most: int, seconds: float) -> bytes:
    """What comes out of a pipe: `most` bytes, or fewer if it ends or time runs out first."""
    deadline = time.monotonic() + seconds
    data = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while len(data) < most and (left := deadline - time.monotonic()) > 0:
            if selector.select(left):
                new = os.read(stream.fileno(), most - len(data))
                if not new:
                    break
                data += new
    return data
