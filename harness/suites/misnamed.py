"""The unknown keys of a probe in, the keys that its author meant by them out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

from harness.documents.document import Document, Place
from harness.documents.part import Part
from harness.suites import words
from harness.suites.format import ProbeFormat
from harness.suites.parts import PARTS
from harness.suites.words import QUESTIONS
from harness.wording import some


def misnamed(written: ProbeFormat, fields: tuple[str, ...]) -> Mapping[str, str | None]:
    """The keys of a probe that nothing uses, each with the one that is meant, if that is clear.

    Args:
        fields: those of the prompt.
    """
    extra = [name for name in written.model_extra or () if name not in fields]
    present = frozenset(written.model_fields_set) if extra else frozenset()
    return {name: _meant(fields, name, present) for name in extra}


def unused_hint(
    name: str, written: ProbeFormat, document: Document, place: Place, fields: tuple[str, ...], prompt: str
) -> str:
    """What to do about the key `name` of the probe at `place`, which nothing uses."""
    if re.search(rf"\{{\{{\s*{re.escape(name)}\s*\}}\}}", prompt):
        return f"'{{{{' is a brace that is text; write '{{{name}}}' into the prompt"
    from harness.documents.hints import key_hint

    part = _part(fields)
    hint = key_hint(document, (*place, name), part, {**PARTS, "probes": part}, written.model_fields_set)
    return hint or f"use 'note' for remarks, or write '{{{name}}}' into the prompt to ask it"


@cache
def _part(fields: tuple[str, ...]) -> Part:
    """A probe's keys and the prompt's fields, with other words for them."""
    asked = fields[0] if len(fields) == 1 else "question"
    questions = dict.fromkeys(QUESTIONS, asked) if asked in fields else {}
    probe = PARTS["probes"]
    return replace(probe, also=fields, meanings={**probe.meanings, **questions})


@lru_cache(maxsize=1_000)
def _meant(fields: tuple[str, ...], name: str, present: frozenset[str]) -> str | None:
    return _part(fields).meant(name, present)


def is_named(key: str, data: Mapping[str, Any]) -> bool:
    """Whether a suite has a key under another name."""
    return any(PARTS[""].meant(str(name), data.keys()) == key for name in data if name not in PARTS[""].keys)


def categories_of(data: dict[str, Any]) -> list[str]:
    """The categories of the probes in the file, even of invalid ones."""
    probes = data.get("probes")
    listed = [probe for probe in (probes if isinstance(probes, list) else []) if isinstance(probe, dict)]
    return list(dict.fromkeys(str(name) for name in map(_category, listed) if name is not None))


def _category(probe: Mapping[str, Any]) -> Any:
    """The category of a probe, under whatever name."""
    return next(
        (probe[key] for key in probe if key == "category" or words.PROBE.get(str(key)) == "category"), None
    )


def with_categories(data: dict[str, Any]) -> Mapping[str, Part]:
    """The parts of a suite, with its categories for the author of a gate over one of them."""
    if not (names := categories_of(data)):
        return PARTS
    hint = f"'over: category' gates each of the categories: {some(names, 10)}"
    gates = replace(PARTS["gates"], examples={**PARTS["gates"].examples, "over?": hint})
    return {**PARTS, "gates": gates}
