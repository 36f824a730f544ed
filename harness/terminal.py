"""All printing of the commands, safe for any terminal, pipe or file."""

from __future__ import annotations

import errno
import io
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from harness.errors import HarnessError, reason
from harness.spelling import on_command_line
from harness.visible import visible_lines
from harness.wording import cut

CLOSED = 141
"""Exit code after the reader closed the pipe, as `| head` does: that of a process ended by SIGPIPE."""

STOPPED = 130
"""Exit code after Ctrl-C: that of a process ended by SIGINT."""


def show(text: str = "") -> None:
    """Print a result on stdout.

    Raises:
        BrokenPipeError: the reader closed the pipe.
        HarnessError: it cannot be written.
    """
    _print(_shown(text), sys.stdout)


def show_document(text: str) -> None:
    """Print a document for a program, in UTF-8 whatever a person's terminal reads; raises as `show` does."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    show(text)


def show_marked(text: str) -> None:
    """Print a result that is safe already, with colours or commands of its own; raises as `show` does."""
    encoding = stdout_encoding()
    _print(text.encode(encoding, "backslashreplace").decode(encoding), sys.stdout)


def stdout_encoding() -> str:
    """The encoding of standard output."""
    return getattr(sys.stdout, "encoding", None) or "utf-8"


def say(text: str) -> None:
    """Print a message on stderr, or nothing if it cannot be written; raises BrokenPipeError."""
    with suppress(HarnessError):
        _print(_shown(text), sys.stderr)


def rewrite(text: str, end: str = "") -> None:
    """Print a line on stderr, over the last one in a terminal."""
    line = " ".join(visible_lines(text))
    if moves():  # a longer line would wrap, and only its end be written over
        line = f"\r{cut(line, shutil.get_terminal_size().columns - 1)}\033[K"
    with suppress(HarnessError):
        _print(line, sys.stderr, end)


def moves() -> bool:
    """Whether stderr is a terminal, where a line can be overwritten."""
    return sys.stderr is not None and sys.stderr.isatty()


def _shown(text: str) -> str:
    return "\n".join(visible_lines(on_command_line(text)))


def _print(text: str, stream: TextIO | None, end: str = "\n") -> None:
    """Print and flush, so that a failure is raised here."""
    if stream is None:  # closed by the caller
        return
    try:
        print(text, file=stream, end=end, flush=True)
    except OSError as error:
        _silence(stream)
        if error.errno in (errno.EPIPE, errno.EINVAL):  # Windows says the latter
            raise BrokenPipeError(*error.args) from error
        raise HarnessError(f"the output cannot be written: {reason(error)}") from error


def _silence(stream: TextIO) -> None:
    """Discard the rest of a stream, which Python would write again when it exits."""
    with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def take_any_text() -> None:
    """Have stdout and stderr escape characters outside their encoding, unless PYTHONIOENCODING names an error handler."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="backslashreplace")


def write_out() -> None:
    """Flush stdout; raises as `show` does."""
    _print("", sys.stdout, end="")
