"""Read a task file and the files it includes as one document; refuse values that lm-evaluation-harness reads otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
"""The loader of lm-evaluation-harness."""


def read_included(path: Path, reach: Reach, including: tuple[Path, ...] = ()) -> Document:
    """Read a file and the files it includes as one document.

    Args:
        reach: where included files may lie.
        including: the files that led here.

    Raises:
        InputError: a file cannot be read, lies outside, is not a mapping or includes itself.
    """
    document = read_document(path)
    data = document.value
    if not isinstance(data, dict):
        raise InputError([Problem(document.span(()), f"a task is a mapping of keys to values, saw {describe(data)}")])  # fmt: skip
    problems = [_without_code(problem) for problem in document.problems]
    problems += [] if problems else _read_otherwise(document)
    chain, included = (*including, path), []
    listed = data.get("include")
    for index, name in enumerate(listed if isinstance(listed, list) else [listed] if listed else []):
        span = document.span(("include", index) if isinstance(listed, list) else ("include",))
        other = reach.path(str(name), chain[0], span, path.parent)
        if other.resolve() in [seen.resolve() for seen in chain]:
            problems.append(Problem(span, f"the file '{name}' includes itself"))
        elif not is_there(other):
            problems.append(Problem(span, f"no file '{name}' beside this one to include"))
        else:
            included.append(read_included(other, reach, chain))
    return _merged(document, included, problems)


def _merged(document: Document, included: Sequence[Document], problems: Sequence[Problem]) -> Document:
    """One document; its own keys win, then those of the file included last."""
    parts = (*included, document)
    owners = {key: part for part in parts for key in part.value}

    def owned(spans: str) -> dict[Place, Span]:
        return {
            place: span
            for part in parts
            for place, span in getattr(part, spans).items()
            if (owners.get(place[0]) if place else document) is part
        }

    value = {key: part.value[key] for key, part in owners.items()}
    found = [*problems, *(problem for part in included for problem in part.problems)]
    return Document(document.path, value, list(dict.fromkeys(found)), owned("keys"), owned("values"))


def _without_code(problem: Problem) -> Problem:
    if problem.message != "the tag '!function' is not allowed":
        return problem
    return Problem(
        problem.span,
        f"'!function' {CODE}",
        "replace the code with templates, or with the data it produces",
    )


def _read_otherwise(document: Document) -> list[Problem]:
    """Values that mean something else to lm-evaluation-harness, which reads YAML 1.1."""
    try:
        theirs = yaml.load(read_text(document.path), Loader=_YAML_1_1)  # nosec B506: a safe loader
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
        # By order, since a key may differ too: `no` is false there.
        for (key, value), value_there in zip(own.items(), other.values(), strict=False):
            yield from _differences(value, value_there, (*place, key))
    elif isinstance(own, list) and isinstance(other, list):
        for index, (value, value_there) in enumerate(zip(own, other, strict=True)):
            yield from _differences(value, value_there, (*place, index))
    elif repr(own) != repr(other):  # so that NaN is itself and 1 is not true
        yield place, own, other
