"""What commands show and say in, text that any terminal, pipe or file takes out; nothing else in this room prints."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from harness.errors import HarnessError, reason
from harness.spelling import on_command_line
from harness.visible import visible_lines

CLOSED = 141
"""Exit code where nobody reads any more, such as after `| head`: that of a process ended by SIGPIPE."""

STOPPED = 130
"""Exit code after Ctrl-C: that of a process ended by SIGINT."""


def show(text: str = "") -> None:
    """What a command was asked for, on stdout.

    Raises:
        BrokenPipeError: nobody reads it any more.
        HarnessError: it cannot be written.
    """
    _print(_shown(text), sys.stdout)


def say(text: str) -> None:
    """What there is to say besides, on stderr; raises BrokenPipeError. Where it cannot be written, nobody can be told."""
    with suppress(HarnessError):
        _print(_shown(text), sys.stderr)


def rewrite(text: str, end: str = "") -> None:
    """A line on stderr, in the place of the last one where that is a terminal."""
    line = " ".join(visible_lines(text))
    with suppress(HarnessError):
        _print(f"\r{line}\033[K" if moves() else line, sys.stderr, end)


def moves() -> bool:
    """Whether stderr is a terminal, in which a line can be written over."""
    return sys.stderr is not None and sys.stderr.isatty()


def _shown(text: str) -> str:
    return "\n".join(visible_lines(on_command_line(text)))


def _print(text: str, stream: TextIO | None, end: str = "\n") -> None:
    """Write at once, so that what cannot be written is known here."""
    if stream is None:  # closed by whoever called
        return
    try:
        print(text, file=stream, end=end, flush=True)
    except OSError as error:
        _silence(stream)
        if error.errno in (errno.EPIPE, errno.EINVAL):  # Windows says the latter
            raise BrokenPipeError(*error.args) from error
        raise HarnessError(f"the output cannot be written: {reason(error)}") from error


def _silence(stream: TextIO) -> None:
    """Send what is left in a stream nowhere: Python writes it once more when it ends."""
    with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def take_any_text() -> None:
    """Have stdout and stderr escape what their encoding does not have, unless the user wants something else of them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="backslashreplace")


def write_out() -> None:
    """Write what others printed, and what still waits in stdout; raises as `show` does."""
    _print("", sys.stdout, end="")
