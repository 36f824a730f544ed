"""The score `python`: run an answer's code and the suite's tests for it.

The code runs in a process of its own, which first confines itself (`harness.scoring.python_runner`). It can open only
Python's standard library and the files of a scratch folder. It can make only the system calls that an answer needs, so it
has no network, starts no process and reaches no other, not even by a signal. Its environment is empty, and its time,
memory, open files and output are bounded. Without a kernel that can do all of this, no code runs. Two risks remain, so
code runs only if the user allows it: it shares an interpreter with its tests, so an object that claims it equals everything
passes a test of equality; and the kernel may have faults.
"""

from __future__ import annotations

import ast
import builtins
import marshal
import math
import os
import platform
import secrets
import selectors
import signal
import subprocess
import sys
import textwrap
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import IO, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from harness.bounded.bounded import Bounded, EndedError
from harness.errors import ScorerError
from harness.scoring.calls import MACHINES, program
from harness.scoring.code_blocks import Block, blocks, spans
from harness.scoring.final import first_turn
from harness.scoring.registry import scorer
from harness.scoring.scratch import overfull, scratch_folder
from harness.suites.scorer import Expects, Scorer

RUNNER = Path(__file__).with_name("python_runner.py")
UNCONFINED = "an answer's code cannot be confined here"
SECONDS_TO_START = 60.0
SECONDS_BETWEEN_LOOKS = 0.05
MOST_CODE = 100_000
"""A longer answer, in characters, is not searched for code beyond its first block: the model is going round in circles."""

MOST_TRIED = 20
"""At most so many beginnings of a failed run are tried again to see where it failed."""

JOBS = Bounded("harness.bounded.code_jobs")

End = Literal["right", "wrong", "late"]
"""How a run ends; late if its time ran out, which is counted from when its code may begin."""


def _is_test(test: str) -> str:
    """The test, unchanged; raises ValueError if it is not Python or cannot fail."""
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
    """The answer's code runs, and every test holds.
    The code is the piece of the answer that defines most of the names that the tests use: a fenced block, closed or cut off,
    else lines without fences, else inline code; the last of several, with the definitions of other pieces that it needs. It
    runs like a module that is imported, up to the first step that asks for input. Of prompts (`>>>`), what was typed counts.
    A name that only a method of one class has is that method. Nothing else is mended.

    Tests are Python statements, such as `assert add(1, 2) == 3`, run in order where the code ran. Needs
    `--allow-code`, and Linux, which confines the code: no network, no other process, no file but its own.

    Of pieces that define as many names, a whole function goes before its signature, a fenced block before text without
    fences and that before inline code, a block of Python before one in another language, a closed block before one that was
    cut off, and the last before the others. A closed block must be Python as a whole; of a block that was cut off, and of
    text without fences, the longest run of lines that is Python counts. Of a session with prompts, bare expressions do not
    run, nor does anything under `if __name__ == "__main__"`. Only steps after the definition of the names may be left out
    because of a question for input. A method is that of an instance made without arguments. If no piece defines any of the
    names, the first block that is Python runs, else the first block, else the whole text.
    """

    expects: ClassVar[Expects] = "none"
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

    def refusal(self) -> str | None:
        return refusal()

    def right(self, text: str, expected: Sequence[str]) -> bool:
        return holds(code_of(text, names_in(self.tests)), self.tests, self.timeout, self.memory_mb)

    def why(self, text: str, expected: Sequence[str]) -> str | None:
        code = code_of(text, names_in(self.tests))
        return _first_failure(code, tuple(self.tests), self.timeout, self.memory_mb)


@lru_cache(maxsize=1000)
def _first_failure(code: str, tests: tuple[str, ...], timeout: float, memory_mb: int) -> str:
    """The first step of a run that failed: the code itself, or the first test that does not hold after those before it.

    The runner says only whether all went well, so that an answer cannot forge more; each beginning of the run is tried again.
    """
    for number in range(min(len(tests), MOST_TRIED)):
        if (end := _end(code, tests[:number], timeout, memory_mb)) != "right":
            late = f" within {timeout:g} s" if end == "late" else ""
            return (
                f"test {number} does not hold{late}: {tests[number - 1]}"
                if number
                else f"its code does not run{late}"
            )
    if len(tests) > MOST_TRIED:
        return f"a test after the first {MOST_TRIED - 1} does not hold"
    return f"test {len(tests)} does not hold: {tests[-1]}"


def names_in(tests: Sequence[str]) -> list[str]:
    """The names that tests use, without those that they bind and Python's own."""
    nodes = [node for test in tests for node in ast.walk(ast.parse(test))]
    names = [node for node in nodes if isinstance(node, ast.Name)]
    bound = {name.id for name in names if not isinstance(name.ctx, ast.Load)}
    bound |= {(node.asname or node.name).split(".")[0] for node in nodes if isinstance(node, ast.alias)}
    bound |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    return sorted({name.id for name in names} - bound - set(dir(builtins)))


def code_of(text: str, wanted: Sequence[str] = ()) -> str:
    """The code in an answer that defines the names `wanted`, found as `Python` says."""
    text = first_turn(text)
    parts = blocks(text)
    fenced = [part for part in parts if part.language is not None]
    found = _program(parts, wanted) if len(text) <= MOST_CODE else None
    if found is not None:
        return found
    return fenced[0].text if fenced else textwrap.dedent(text)


def _program(parts: Sequence[Block], wanted: Sequence[str]) -> str | None:
    """The code in the parts of an answer, or None if there is none, or Python's parser finds no end."""
    plain = [part.text for part in parts if part.language is None]
    job = {
        "fenced": [
            (part.text, part.language, "closed" if part.closed else "open")
            for part in parts
            if part.language is not None
        ],
        "plain": plain,
        "spans": [span for text in plain for span in spans(text)],
        "wanted": list(wanted),
    }
    for _ in range(2):  # those before it may have used up the time of the process
        with suppress(EndedError):
            found: str | None = JOBS.do("program", **job)
            return found
    return None


def holds(code: str, tests: Sequence[str], timeout: float, memory_mb: int) -> bool:
    """Whether `code` and then every test runs, within `timeout` seconds and `memory_mb` megabytes.

    Raises:
        ScorerError: the code could not be started or confined, which says nothing about it.
    """
    return _end(code, tests, timeout, memory_mb) == "right"


def _end(code: str, tests: Sequence[str], timeout: float, memory_mb: int) -> End:
    """How a run ends; raises as `holds` does."""
    machine = platform.machine()
    if sys.platform != "linux" or sys.maxsize < 2**32 or machine not in MACHINES:
        raise ScorerError(
            f"{UNCONFINED}: that takes 64-bit Linux on x86-64 or arm64, and this is {platform.system()} on {machine}"
        )
    job = {
        "ready": secrets.token_hex(16).encode(),
        "token": secrets.token_hex(16).encode(),
        "code": code,
        "tests": list(tests),
        "seconds": math.ceil(timeout) + 1,  # of processor time, in case the limit by the clock fails
        "memory_mb": memory_mb,
        "parent": os.getpid(),
    }
    with scratch_folder() as folder, _start(folder) as process:
        try:
            job["calls"] = program(machine, process.pid)
            end = _watch(process, job, timeout, folder)
            return "wrong" if overfull(folder) else end
        finally:
            # Before it is waited for: afterwards another group may have its id.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


@cache
def refusal() -> str | None:
    """Why code cannot be confined on this machine, or None; tried once in a process."""
    try:
        works = holds("", ["assert True"], SECONDS_TO_START, 256)
    except ScorerError as error:
        return str(error)
    return None if works else f"{UNCONFINED}: a test that holds was found not to hold"


def _start(folder: str) -> subprocess.Popen[bytes]:
    # Like `-I`, but with an environment, which the runner clears: sets must have the same order for both models, and
    # glibc must not reserve an arena of the bounded address space for each thread.
    return subprocess.Popen(
        [sys.executable, "-s", "-S", "-P", "-B", "-X", "utf8", str(RUNNER)],
        cwd=folder,
        env={"PYTHONHASHSEED": "0", "MALLOC_ARENA_MAX": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _watch(process: subprocess.Popen[bytes], job: dict[str, Any], timeout: float, folder: str) -> End:
    """Give the runner its job, wait until it is ready, and say whether the token comes back in time."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with suppress(BrokenPipeError):  # the runner died, which the next read shows
        process.stdin.write(marshal.dumps(job))
    with suppress(BrokenPipeError):
        process.stdin.close()
    if _read(process.stdout, len(job["ready"]), SECONDS_TO_START) != job["ready"]:
        said = _read(process.stderr, 10_000, 1.0).decode(errors="replace").strip().splitlines()
        raise ScorerError(f"{UNCONFINED}: {said[-1] if said else 'Python did not start, and said nothing'}")
    token, began = job["token"], time.monotonic()
    if _read(process.stdout, len(token), timeout, lambda: overfull(folder)) == token:
        return "right"
    return "late" if time.monotonic() - began >= timeout else "wrong"


def _read(stream: IO[bytes], most: int, seconds: float, enough: Callable[[], bool] = lambda: False) -> bytes:
    """Read `most` bytes from a pipe, or fewer if it ends, time runs out or `enough` is true first."""
    deadline = time.monotonic() + seconds
    data = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while len(data) < most and (left := deadline - time.monotonic()) > 0 and not enough():
            if selector.select(min(left, SECONDS_BETWEEN_LOOKS)):
                new = os.read(stream.fileno(), most - len(data))
                if not new:
                    break
                data += new
    return data
