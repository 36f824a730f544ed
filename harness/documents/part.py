"""A part of a file as messages call it: its keys, the words that other tools have for them, and examples to paste."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from harness.errors import did_you_mean


@dataclass(frozen=True)
class Part:
    """The name of a part of a file in messages, and the shape with its keys."""

    name: str
    shape: type[BaseModel] | None = None
    also: tuple[str, ...] = ()
    """Keys that it may have besides those of the shape."""
    meanings: Mapping[str, str] = field(default_factory=dict)
    """The key that is meant by another tool's word for it: {"expected": "answer"}."""
    examples: Mapping[str, str] = field(default_factory=dict)
    """What to write for a key that is missing; under "", for the part itself, and under a text, for one who wrote just that."""

    @property
    def keys(self) -> list[str]:
        own = self.shape.model_fields.items() if self.shape else ()
        return [*(info.alias or name for name, info in own), *self.also]

    def means(self, name: str, present: Collection[str]) -> str | None:
        """The key that an unknown name surely stands for, unless it is present too: by its meaning, or but for its case."""
        plain = plain_name(name)
        free = [key for key in self.keys if key not in present]
        if self.meanings.get(plain) in free:
            return self.meanings[plain]
        return next((key for key in free if plain_name(key) == plain), None)

    def meant(self, name: str, present: Collection[str]) -> str | None:
        """The key that an unknown name stands for, surely or by the nearest spelling."""
        near = did_you_mean(name, [key for key in self.keys if key not in present])
        return self.means(name, present) or (near.split("'")[1] if near else None)


def meanings(**keys: str) -> Mapping[str, str]:
    """The key that each word means, from the words for each key, separated by spaces."""
    return {word: key for key, words in keys.items() for word in words.split()}


def plain_name(name: str) -> str:
    """A key in small letters, its words joined by `_`, without characters that cannot be seen."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", re.sub(r"[\u200b-\u200f\u2060\ufeff]", "", name))
    return re.sub(r"[\s\u00a0_-]+", "_", words.strip()).strip("_").lower()


def limits(shape: type[BaseModel] | None, key: str) -> tuple[bool, bool]:
    """Whether a key takes a fraction, 0 to 1, and whether it takes whole numbers alone."""
    info: Any = shape.model_fields.get(key) if shape else None
    if info is None:
        return False, False
    most = {getattr(mark, name) for mark in info.metadata for name in ("le", "lt") if hasattr(mark, name)}
    written = str(info.annotation)
    return most == {1}, "int" in written and "float" not in written
