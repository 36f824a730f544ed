"""The head of a GGUF file in, its metadata and the sizes of its tensors out.

The format is https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. The reader of the package `gguf` takes seconds for a
large vocabulary, and reads tensors too; this one reads the head only, in bounded time and memory.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import ModelError

MAGIC = b"GGUF"
VERSIONS = (2, 3)
STRING, ARRAY = 8, 9
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""The `struct` letter of each kind of number."""

LISTS = ("tokenizer.ggml.tokens", "tokenizer.ggml.token_type")
"""The arrays that are kept; others, such as the merges, are passed over."""

MOST_TEXTS = 1 << 23
"""Texts in one array; the largest vocabularies in use have a thirtieth of it."""

MOST_TENSORS = 1 << 20
MOST_DIMENSIONS = 8
DEEPEST = 4
"""Arrays in arrays."""

NAMES = (
    "F32", "F16", "Q4_0", "Q4_1", "", "", "", "Q8_0", "Q5_0", "Q5_1", "Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_K_S", "Q4_K_M",
    "Q5_K_S", "Q5_K_M", "Q6_K", "IQ2_XXS", "IQ2_XS", "Q2_K_S", "IQ3_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ3_M", "IQ2_S",
    "IQ2_M", "IQ4_XS", "IQ1_M", "BF16", "", "", "", "TQ1_0", "TQ2_0", "MXFP4",
)  # fmt: skip
"""The names of `general.file_type`, by number; "" for those that are no longer written."""


@dataclass(frozen=True)
class Metadata:
    """What the head of a file says.

    Attributes:
        values: its keys, without most arrays.
        parameters: the numbers in its tensors.
        ends: where the last tensor begins, in bytes of the file; a file that is shorter is incomplete.
    """

    values: Mapping[str, Any]
    parameters: int
    ends: int

    def text(self, key: str) -> str | None:
        """The text under a key; None if there is none."""
        value = self.values.get(key)
        return value if isinstance(value, str) else None

    def number(self, key: str) -> int | None:
        """The whole number under a key; None if there is none."""
        value = self.values.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    @property
    def architecture(self) -> str:
        """The architecture, which begins the keys of its sizes."""
        return self.text("general.architecture") or ""

    @property
    def context(self) -> int | None:
        """The most tokens that the model reads."""
        return self.number(f"{self.architecture}.context_length")

    @property
    def quantisation(self) -> str:
        """How most weights are kept, such as Q4_K_M."""
        number = self.number("general.file_type")
        return (NAMES[number] if number is not None and 0 <= number < len(NAMES) else "") or "GGUF"


def read_metadata(name: str, path: Path) -> Metadata:
    """The head of a file.

    Args:
        name: of the model, in errors.

    Raises:
        ModelError: it is no GGUF file, of another version, or incomplete.
    """
    with path.open("rb") as file:
        begins = file.read(8)
        if begins[:4] != MAGIC:
            raise ModelError(f"{name}: is no GGUF file: it begins with {begins[:4]!r}, not {MAGIC!r}")
        version = int.from_bytes(begins[4:], "little")
        if version not in VERSIONS:
            raise ModelError(
                f"{name}: is a GGUF file of version {version}, and versions {' and '.join(map(str, VERSIONS))} can be read\n"
                "  convert the model again with a current llama.cpp"
            )
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            try:
                metadata = _Head(content).read()
            except (struct.error, ValueError, OverflowError) as error:
                raise ModelError(f"{name}: {_incomplete(path)}") from error
            if metadata.ends >= len(content):
                raise ModelError(f"{name}: {_incomplete(path)}")
    return metadata


def _incomplete(path: Path) -> str:
    return f"is incomplete or damaged ({path.stat().st_size:,} bytes)\n  copy or download it again"


class _Head:
    """A reader of the head; raises struct.error or ValueError where the file ends or makes no sense."""

    def __init__(self, content: mmap.mmap) -> None:
        self.content = content
        self.at = 8

    def read(self) -> Metadata:
        tensors, keys = self._number("Q"), self._number("Q")
        values = {}
        for _ in range(keys):
            key, kind = self._text(), self._number("I")
            value = self._value(kind, keep=key in LISTS)
            if value is not None:
                values[key] = value
        parameters, begins = self._tensors(tensors)
        step = values.get("general.alignment", 32)
        if type(step) is not int or step < 1:
            raise ValueError("alignment")
        data = -(-self.at // step) * step
        return Metadata(values, parameters, data + begins if tensors else self.at - 1)

    def _tensors(self, count: int) -> tuple[int, int]:
        """How many numbers are in the tensors, and where the last begins, from the end of the head."""
        if count > MOST_TENSORS:
            raise ValueError("tensors")
        parameters = last = 0
        for _ in range(count):
            self._text()
            if (dimensions := self._number("I")) > MOST_DIMENSIONS:
                raise ValueError("dimensions")
            parameters += math.prod(self._number("Q") for _ in range(dimensions))
            self._number("I")
            last = max(last, self._number("Q"))
        return parameters, last

    def _value(self, kind: int, keep: bool, depth: int = 0) -> Any:
        """A value; None for an array that is not kept."""
        if kind in SCALARS:
            return self._number(SCALARS[kind])
        if kind == STRING:
            return self._text()
        if kind != ARRAY or depth == DEEPEST:
            raise ValueError("kind")
        kind, length = self._number("I"), self._number("Q")
        if kind in SCALARS:
            return self._numbers(SCALARS[kind], length, keep)
        if length > MOST_TEXTS:
            raise ValueError("length")
        if keep and kind == STRING:
            return [self._text() for _ in range(length)]
        for _ in range(length):
            self._skip(kind, depth)
        return None

    def _skip(self, kind: int, depth: int) -> None:
        if kind == STRING:
            self._pass(self._number("Q"))
        else:
            self._value(kind, keep=False, depth=depth + 1)

    def _numbers(self, letter: str, length: int, keep: bool) -> list[Any] | None:
        size = length * struct.calcsize(f"<{letter}")
        begin = self.at
        self._pass(size)
        return list(struct.unpack(f"<{length}{letter}", self.content[begin : self.at])) if keep else None

    def _number(self, letter: str) -> Any:
        form = f"<{letter}"
        (value,) = struct.unpack_from(form, self.content, self.at)
        self.at += struct.calcsize(form)
        return value

    def _text(self) -> str:
        length = self._number("Q")
        begin = self.at
        self._pass(length)
        return self.content[begin : self.at].decode("utf-8", errors="replace")

    def _pass(self, size: int) -> None:
        self.at += size
        if self.at > len(self.content):
            raise ValueError("end")
