"""A model's folder in, the models that its card (README.md) names as its base out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from harness.errors import ModelError

CARD = "README.md"
MERGE = "mergekit_config.yml"

MOST_BYTES = 1 << 20
"""Only the beginning of a card is read."""

MOST_CHARACTERS = 1 << 14
"""A longer list of models is not read; 200 names are shorter."""

MOST_BRACKETS = 16
"""More slow a YAML reader down, and are no list of names."""

KEY = re.compile(r"""(?:base_model|"base_model"|'base_model')\s*:(?:\s|$)""")
GOES_ON = re.compile(r"[\s#\-\]]|$")


def card_bases(folder: Path) -> tuple[str, ...]:
    """The `base_model` of the card's front matter: one name, several for a merge, or none.

    Only that key is parsed, so an error elsewhere in a card hides nothing, and no card takes long.

    Raises:
        ModelError: the card's `base_model` is not a name or a list of names.
    """
    card = folder / CARD
    return _names(card, _front(_text(card)))


def merge_bases(folder: Path) -> tuple[str, ...]:
    """The `base_model` of the config that mergekit writes beside a merged model; raises ModelError as `card_bases` does."""
    return _names(folder / MERGE, _text(folder / MERGE).splitlines())


def _text(file: Path) -> str:
    if not file.is_file():
        return ""
    with file.open("rb") as opened:
        return opened.read(MOST_BYTES).decode("utf-8", errors="replace")


def _names(file: Path, lines: Sequence[str]) -> tuple[str, ...]:
    entry = _entry(lines)
    if not entry:
        return ()
    named = _value(file, entry)
    names = [] if named is None or named == "" else named if isinstance(named, list) else [named]
    if not all(isinstance(name, str) and name for name in names):
        raise ModelError(
            f"{file}: its base_model must be the name of a model, or a list of names, saw {named!r:.80}"
        )
    return tuple(dict.fromkeys(names))


def _value(file: Path, entry: str) -> Any:
    try:
        if len(entry) > MOST_CHARACTERS or entry.count("[") + entry.count("{") > MOST_BRACKETS:
            raise ValueError("too long")
        # Aliases can expand to more than the memory holds.
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(entry, yaml.SafeLoader)):
            raise ValueError("an alias")
        return yaml.safe_load(entry).popitem()[1]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{file}: its base_model cannot be read as YAML: {entry!r:.80}\n  expected a name, or a list of names"
        ) from error


def _front(text: str) -> list[str]:
    """The lines of a card's front matter."""
    lines = text.lstrip("\ufeff").strip().splitlines()
    if not lines or lines[0].rstrip() != "---":
        return []
    end = next((number for number, line in enumerate(lines) if number and line.rstrip() in ("---", "...")), 0)
    return lines[1:end] if end else []


def _entry(lines: Sequence[str]) -> str:
    """The lines of `base_model`, up to the next key; "" if there are none."""
    first = next((number for number, line in enumerate(lines) if KEY.match(line)), None)
    if first is None:
        return ""
    last = next((n for n in range(first + 1, len(lines)) if not GOES_ON.match(lines[n])), len(lines))
    return "\n".join(lines[first:last])
