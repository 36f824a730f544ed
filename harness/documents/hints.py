"""One of pydantic's errors in a document in, what its author can do about it out."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from harness.documents.document import Document, Place
from harness.documents.part import Part, limits, plain_name
from harness.documents.remedies import (
    as_item,
    corrected,
    cut_by_comma,
    decimal_comma,
    list_meant,
    number_meant,
    renamed,
    text_meant,
)
from harness.errors import did_you_mean

NUMBERS = ("float_type", "int_type", "int_from_float", "less_than_equal", "less_than", "greater_than_equal", "greater_than")  # fmt: skip
LISTS = ("list_type", "tuple_type")
MAPPINGS = ("dict_type", "model_type", "model_attributes_type")
_TRUE, _FALSE = ("yes", "on", "y", "1", "true"), ("no", "off", "n", "0", "false")


def key_hint(
    document: Document, place: Place, part: Part, parts: Mapping[str, Part], present: Collection[str]
) -> str | None:
    """What is meant by an unknown key.

    Args:
        present: the keys beside it.
    """
    name = str(place[-1])
    if line := decimal_comma(document, place):
        return f"a decimal point, not a comma; write: {line}"
    if line := cut_by_comma(document, place):
        return f"a text with a comma in it needs quotes inside {{}}; write: {line}"
    if found := re.match(r"([A-Za-z_]\w*)[ :=]+(.+)", name):
        if found[1] in part.keys:
            return f"'{found[1]}' needs ': ' after it, a colon and a space; write: {found[1]}: {found[2]}"
    meant = part.means(name, present)
    if meant is not None and plain_name(name) in part.meanings:
        return f"its name is '{meant}'; write: {renamed(document, place, meant)}"
    if meant is None and (elsewhere := _elsewhere(name, part, parts)):
        return elsewhere
    meant = part.meant(name, present)
    if meant is None:
        return did_you_mean(name, part.keys)
    unseen = plain_name(name) == meant and re.search(r"[^\x20-\x7e]", name)
    return f"the key has a character that cannot be seen; type '{meant}' anew" if unseen else f"did you mean '{meant}'?"  # fmt: skip


def _elsewhere(name: str, part: Part, parts: Mapping[str, Part]) -> str | None:
    """The part of the file to which a key belongs."""
    whole = parts[""]
    if part is not whole and name in whole.keys and (part.name, part.shape) != (whole.name, whole.shape):
        return "it stands at the top of the file, without spaces before it"
    if part is whole:
        holders = [
            key for key, other in parts.items() if key and other.shape is not None and name in other.keys
        ]
        first = next((key for key in holders if key in whole.keys), holders[0] if len(holders) == 1 else None)
        if first is not None:
            return f"it belongs to {parts[first].name}: write it below '{first}:', two spaces deeper"
    return None


def value_hint(
    details: Mapping[str, Any], document: Document, place: Place, part: Part, parts: Mapping[str, Part]
) -> str | None:
    """What is meant by a value that is not what its place takes.

    Args:
        details: pydantic's error.
        part: the part around it.
    """
    kind, seen, context = details["type"], details["input"], details.get("ctx", {})
    key = str(place[-1]) if place else ""
    if place not in document.values:
        return None
    if kind in NUMBERS:
        return _number_hint(seen, document, place, limits(part.shape, key))
    if kind in LISTS:
        return _list_hint(seen, document, place, parts.get(key))
    if kind in MAPPINGS:
        own = next((parts[str(step)] for step in reversed(place) if isinstance(step, str) and step in parts), part)  # fmt: skip
        return _mapping_hint(seen, document, place, own)
    if kind == "string_type":
        if text := text_meant(document, place, seen):
            return f"a text like this needs quotes; write: {corrected(document, place, text)}"
        return part.examples.get(key) and f"write: {part.examples[key]}"
    if kind == "unlike" and isinstance(seen, str) and (name := _name_meant(seen, context.get("pattern"))):
        return f"write: {corrected(document, place, name)}"
    if kind == "literal_error" and isinstance(seen, str):
        named = re.findall("'([^']*)'", context["expected"])  # "'a', 'b' or 'c'"
        return did_you_mean(seen, named) or part.examples.get(f"{key}?")
    if kind == "bool_type" and (word := str(seen).lower()) in _TRUE + _FALSE:
        return f"write: {corrected(document, place, 'true' if word in _TRUE else 'false')}"
    return None


def _name_meant(seen: str, pattern: str | None) -> str | None:
    """A name that is allowed and like the one that is not."""
    plain = re.sub(r"[\s:/\\\[\]]+", "-", seen.strip()).strip("-")
    allowed = (name for name in (seen.strip(), plain) if pattern and re.fullmatch(pattern, name))
    return next(allowed, None)


def _number_hint(seen: Any, document: Document, place: Place, takes: tuple[bool, bool]) -> str | None:
    is_fraction, is_whole = takes
    meant = number_meant(seen, document.written.get(place), is_fraction=is_fraction, is_whole=is_whole)
    if meant is None:
        return None
    if not isinstance(seen, str) and (meant == str(seen) or (not is_whole and float(meant) == seen)):
        return None  # the same number, written otherwise, fits no better
    line = corrected(document, place, meant)
    if isinstance(seen, str):
        is_percentage = re.search(r"%|\bp(er|oint|p)", seen) is not None
    else:
        is_percentage = float(meant) != abs(seen)
    told = "a fraction of 1: 0.1 means 10 %; " if is_fraction and is_percentage else ""
    return f"{told}write: {line}"


def _list_hint(seen: Any, document: Document, place: Place, items: Part | None) -> str | None:
    if isinstance(seen, str) and items is not None and seen in items.examples:
        return f"write: {place[-1]}: [{items.examples[seen]}]"
    if isinstance(seen, Mapping) and seen and items is not None and items.shape is not None:
        first = next(iter(seen))
        if first in items.keys and (text := as_item(document, place)):
            return f"write: {corrected(document, place, text)}"
        if first in items.keys:
            return f"each begins with '- ', and its other keys stand two spaces deeper; write: - {_written(document, (*place, first))}"  # fmt: skip
        if "id" in items.keys and isinstance(seen[first], Mapping):
            return f"each begins with '- ' and has its name under 'id'; write: - id: {first}"
    if items is not None and items.examples:
        example = items.examples.get("")
        return f"write: - {example}" if example else None
    if isinstance(seen, Mapping) and seen and all(isinstance(value, str) for value in seen.values()):
        seen = ",".join(seen.values()) if place[-1:] == ("choices",) else None
    meant = list_meant(seen, separated=place[-1:] == ("choices",))
    return f"write: {corrected(document, place, meant)}" if meant else None


def _mapping_hint(seen: Any, document: Document, place: Place, part: Part) -> str | None:
    if isinstance(seen, list) and all(isinstance(item, Mapping) for item in seen) and seen:
        first = next(iter(seen[0]), None)
        if first in part.keys:
            line = _written(document, (*place, 0, first))
            return f"its keys stand below it, each without '-'; write: {line}"
    if seen is None and not isinstance(place[-1], int):
        return "its keys stand below it, two spaces deeper"
    example = part.examples.get(seen) if isinstance(seen, str) else None
    example = example or part.examples.get("")
    if example is None:
        return None
    before = "- " if isinstance(place[-1], int) else f"{place[-1]}: "
    return f"write: {before}{example}"


def _written(document: Document, place: Place) -> str:
    """The line of a key from the key on."""
    return document.rest(document.keys.get(place)).strip()[:120] or f"{place[-1]}: ..."
