"""A path in, its bytes or its text out, in bounded time and memory, whatever the path leads to."""

from __future__ import annotations

import codecs
import errno
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from harness.errors import InputError, Span
from harness.limits import MOST_DATA_BYTES

_WIDE = {  # UTF-32 first: the mark of UTF-16 is the beginning of one of its marks
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
_WIDE_UNMARKED = {
    b"x\0\0\0": "utf-32-le", b"\0\0\0x": "utf-32-be", b"x\0x\0": "utf-16-le", b"\0x\0x": "utf-16-be"
}  # fmt: skip
"""Text in ASCII without a mark, by where the zeros are in its first four bytes."""
_PACKED = {
    b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip",
}  # fmt: skip
"""How compressed files begin."""
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f]")
"""Bytes that no text has."""


def read_bytes(path: Path, most: int = MOST_DATA_BYTES) -> bytes:
    """The bytes of a file.

    Raises OSError, with the reason in `strerror`, for a file that cannot be read or has more than `most` bytes, and for a
    pipe or a device, which might never end.
    """
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # opening a folder fails with a reason of its own
            raise OSError(errno.EINVAL, "it is a pipe or a device, not a file")
        with path.open("rb") as file:
            data = file.read(most + 1)
    except ValueError as error:
        raise OSError(errno.EINVAL, f"not a valid path: {error}") from error
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most / 2**20:.0f} MB; use a part of it")
    return data


def read_text(path: Path, most: int = MOST_DATA_BYTES) -> str:
    """The text of a file in UTF-8, without a byte order mark.

    Raises:
        OSError: as `read_bytes`.
        InputError: it is not UTF-8, with the place of the first byte that is not.
    """
    data = read_bytes(path, most)
    if wide := wide_encoding(data):
        message = f"not UTF-8 text: it is {wide[:6].upper()}"
        raise InputError.at(Span(path, 1, 1), message, "save the file as UTF-8")
    if packed := next((name for mark, name in _PACKED.items() if data.startswith(mark)), None):
        raise InputError.at(Span(path, 1, 1), f"not text: it is packed ({packed})", "unpack it first")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()  # without a byte order mark, as `error.start` is
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"not UTF-8 text: saw byte 0x{error.object[error.start]:02x}"
        raise InputError.at(Span(path, line, column), message, "save the file as UTF-8") from error


def read_guessed(path: Path) -> tuple[str, str | None]:
    """The text of a file as spreadsheets save it, and its encoding if that is not UTF-8: by its mark, else Windows-1252.

    Raises:
        OSError: as `read_bytes`.
        InputError: it is in another encoding, or no text.
    """
    data = read_bytes(path)
    wide = wide_encoding(data)
    try:
        return (data.decode(wide), wide[:6].upper()) if wide else (read_text(path), None)
    except UnicodeDecodeError as error:
        raise InputError.at(Span(path, 1, 1), f"not {wide} text: {error.reason}", "save the file as UTF-8") from error  # fmt: skip
    except InputError:
        if _CONTROL.search(data) or any(map(data.startswith, _PACKED)):
            raise
        with suppress(UnicodeDecodeError):
            return data.decode("cp1252"), "Windows-1252"
        raise


def numbered_lines(path: Path) -> Iterator[tuple[Span, str]]:
    """The lines of a file that are not blank, with line endings of any system.

    Raises:
        OSError, InputError: as `read_text`.
    """
    for number, line in enumerate(re.split(r"\r\n|\r|\n", read_text(path)), start=1):
        if line.strip():
            yield Span(path, number, 1), line


def wide_encoding(data: bytes) -> str | None:
    """The encoding of text in UTF-16 or UTF-32, with or without a byte order mark; None for any other."""
    marked = next((name for mark, name in _WIDE.items() if data.startswith(mark)), None)
    return marked or _WIDE_UNMARKED.get(re.sub(rb"[^\0]", b"x", data[:4]))
