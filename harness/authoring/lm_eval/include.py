"""A task file in, one document with what it includes out; and what lm-evaluation-harness would read otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from harness.documents.document import Document, Place, read_document
from harness.documents.text_file import read_text
from harness.documents.validate import describe
from harness.documents.within import Reach, is_there
from harness.errors import InputError, Problem, Span

CODE = "is Python code, which an import does not run"

_YAML_1_1: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""What lm-evaluation-harness reads with."""


def read_included(path: Path, reach: Reach, including: tuple[Path, ...] = ()) -> Document:
    """A file and the files that it includes as one document; its own keys win.

    Args:
        reach: where the files that it includes may lie.
        including: the files that led here.

    Raises:
        InputError: a file cannot be read, lies where it may not, is not a mapping or includes itself.
    """
    document = read_document(path)
    data = document.value
    if not isinstance(data, dict):
        raise InputError([Problem(document.span(()), f"a task is a mapping of keys to values, saw {describe(data)}")])  # fmt: skip
    problems = [_without_code(problem) for problem in document.problems]
    problems += [] if problems else _read_otherwise(document)
    merged = Document(path, dict(data), problems, dict(document.keys), dict(document.values))
    listed = data.get("include")
    for index, name in enumerate(listed if isinstance(listed, list) else [listed] if listed else []):
        place: Place = ("include", index) if isinstance(listed, list) else ("include",)
        other = reach.path(str(name), (*including, path)[0], document.span(place), path.parent)
        if other.resolve() in [seen.resolve() for seen in (*including, path)]:
            merged.problems.append(Problem(document.span(place), f"the file '{name}' includes itself"))
        elif not is_there(other):
            merged.problems.append(Problem(document.span(place), f"no file '{name}' beside this one to include"))  # fmt: skip
        else:
            _take(merged, read_included(other, reach, (*including, path)), set(data))
    return merged


def _take(merged: Document, other: Document, own: set[str]) -> None:
    """Add to `merged` what it does not say itself; a later included file wins over an earlier one."""
    merged.problems.extend(problem for problem in other.problems if problem not in merged.problems)
    for key, value in other.value.items():
        if key not in own:
            for places in (merged.keys, merged.values):
                for place in [place for place in places if place[:1] == (key,)]:
                    del places[place]
            merged.value[key] = value
    for mine, theirs in ((merged.keys, other.keys), (merged.values, other.values)):
        mine.update({place: span for place, span in theirs.items() if place and place[0] not in own})


def _without_code(problem: Problem) -> Problem:
    if problem.message != "the tag '!function' is not allowed":
        return problem
    return Problem(
        problem.span,
        f"'!function' {CODE}",
        "write out what the code does: as templates, or as data that it has been run on",
    )


def _read_otherwise(document: Document) -> list[Problem]:
    """Values that lm-evaluation-harness, which reads YAML 1.1, takes for something else than this harness does."""
    try:
        # A SafeLoader.
        theirs = yaml.load(read_text(document.path), Loader=_YAML_1_1)  # nosec B506
    except (yaml.YAMLError, ValueError) as error:
        mark, reason = getattr(error, "problem_mark", None), getattr(error, "problem", None) or error
        span = Span(document.path, mark.line + 1, mark.column + 1) if mark else document.span(())
        message = f"lm-evaluation-harness, which reads YAML 1.1, cannot read this: {reason}"
        return [Problem(span, message, "quote it to mean text")]
    return [
        Problem(document.values[place], f"lm-evaluation-harness reads this as {other!r}, this harness as {own!r}",
                "quote it to mean text")
        for place, own, other in _differences(document.value, theirs, ())
    ]  # fmt: skip


def _differences(own: Any, other: Any, place: Place) -> Iterator[tuple[Place, Any, Any]]:
    if isinstance(own, dict) and isinstance(other, dict):
        for (key, value), value_there in zip(own.items(), other.values(), strict=False):
            yield from _differences(value, value_there, (*place, key))
    elif isinstance(own, list) and isinstance(other, list):
        for index, (value, value_there) in enumerate(zip(own, other, strict=True)):
            yield from _differences(value, value_there, (*place, index))
    elif repr(own) != repr(other):  # so that NaN is itself and 1 is not true
        yield place, own, other
