"""A path in, its bytes or its text out, in bounded time and memory, whatever stands there."""

from __future__ import annotations

import codecs
import errno
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from harness.errors import InputError, Problem, Span
from harness.limits import MOST_DATA_BYTES

_WIDE = {  # the marks of UTF-32 first: that of UTF-16 begins one of them
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
_WIDE_UNMARKED = {
    b"x\0\0\0": "utf-32-le", b"\0\0\0x": "utf-32-be", b"x\0x\0": "utf-16-le", b"\0x\0x": "utf-16-be"
}  # fmt: skip
"""By where the zeros are in the first two or four characters, which are ASCII."""
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}
"""How compressed files begin."""


def read_bytes(path: Path, most: int = MOST_DATA_BYTES) -> bytes:
    """The bytes of a file.

    Raises OSError for what cannot be read, what is no file (a pipe or a device might never end), and more than `most`
    bytes; its `strerror` says which.
    """
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # opening a folder says itself what it is
            raise OSError(errno.EINVAL, "it is a pipe or a device, not a file")
        with path.open("rb") as file:
            data = file.read(most + 1)
    except ValueError as error:
        raise OSError(errno.EINVAL, f"this is no path: {error}") from error
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most / 2**20:.0f} MB; take a part of it")
    return data


def read_text(path: Path, most: int = MOST_DATA_BYTES) -> str:
    """The text of a file in UTF-8, without a byte order mark.

    Raises:
        OSError: as `read_bytes`.
        InputError: it is not UTF-8; with the place of what is not.
    """
    data = read_bytes(path, most)
    if wide := wide_encoding(data):
        raise InputError([Problem(
            Span(path, 1, 1), f"not UTF-8 text: it is {wide[:6].upper()}", "save the file as UTF-8"
        )])  # fmt: skip
    if packed := next((name for mark, name in _PACKED.items() if data.startswith(mark)), None):
        raise InputError([Problem(Span(path, 1, 1), f"not text: it is packed ({packed})", "unpack it first")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()  # without a byte order mark, as `error.start` is
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise InputError([Problem(
            Span(path, line, column),
            f"not UTF-8 text: saw byte 0x{error.object[error.start]:02x}",
            "save the file as UTF-8",
        )]) from error  # fmt: skip


def numbered_lines(path: Path) -> Iterator[tuple[Span, str]]:
    """The lines of a file that are not blank, however they end.

    Raises:
        OSError, InputError: as `read_text`.
    """
    for number, line in enumerate(re.split(r"\r\n|\r|\n", read_text(path)), start=1):
        if line.strip():
            yield Span(path, number, 1), line


def wide_encoding(data: bytes) -> str | None:
    """The encoding of bytes that are text in UTF-16 or UTF-32, marked or not; None for all others."""
    marked = next((name for mark, name in _WIDE.items() if data.startswith(mark)), None)
    return marked or _WIDE_UNMARKED.get(re.sub(rb"[^\0]", b"x", data[:4]))
