"""The registry of scores that suites may name: Scorer classes and plain functions in, a table of Scorer classes out.

Users register their own in a conftest.py, or in an installed package with an entry point of the group
`forgetting_gate.scorers` that has the score's name and whose import registers it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

from harness.errors import ScorerError, shown_path
from harness.scoring.function import scorer_of
from harness.suites.scorer import Scorer

S = TypeVar("S", bound=type[Scorer] | Callable[..., bool])

GROUP = "forgetting_gate.scorers"
SCORERS: dict[str, type[Scorer]] = {}
_PLACES: dict[str, tuple[str, int, str]] = {}
"""Where each score was registered: file, line and the class's name."""


def scorer(name: str) -> Callable[[S], S]:
    """Register a Scorer, or a plain function, under the name that suites use.

    A function takes the text, optionally `expected` (the probe's answers) as its second parameter, and any further
    annotated parameters, which suites may set:

        @scorer("shouts")
        def shouts(text: str, *, least: int = 1) -> bool:
            return text.count("!") >= least

    Raises:
        TypeError: the name is no text, or the object cannot be a score.
        ValueError: another score has this name.
    """
    if not isinstance(name, str) or not name.strip() or name != name.strip():
        raise TypeError(f'a score needs a name: write @scorer("name"), saw @scorer({name!r})')
    caller = sys._getframe(1)
    path, line = caller.f_code.co_filename, caller.f_lineno

    def register(given: S) -> S:
        kind = _kind(given, name)
        place = (path, line, kind.__qualname__)
        # A file that is loaded again, as by two runs in one process, registers the same score twice.
        if _PLACES.setdefault(name, place) != place:
            file, at, other = _PLACES[name]
            raise ValueError(
                f"there is a score '{name}' already, from {shown_path(Path(file))}:{at} ({other})"
            )
        kind.name = name
        SCORERS[name] = kind
        return given

    return register


def registered_in(name: str) -> Path | None:
    """The file that registered a score; None if none did."""
    return Path(_PLACES[name][0]) if name in _PLACES else None


def _kind(given: Any, name: str) -> type[Scorer]:
    """The Scorer class for a registered object."""
    if not isinstance(given, type):
        return scorer_of(given, name)
    if not issubclass(given, Scorer):
        raise TypeError(
            f"the score '{name}' must be a function or a class made from Scorer, saw the class {given.__name__}"
        )
    if given.judges == "generate" and given.right is Scorer.right:
        raise TypeError(f"the score '{name}' needs a method: def right(self, text, expected) -> bool")
    if taken := [field for field in given.model_fields if field in {*vars(Scorer), *Scorer.__annotations__}]:
        raise TypeError(f"the score '{name}' cannot have a parameter '{taken[0]}': every Scorer has its own")
    if vars(given).get("name", name) != name:
        raise TypeError(
            f"the class {given.__name__} is the score '{given.name}' already: make a class from it"
        )
    return given


@cache
def load_scorers() -> Mapping[str, type[Scorer]]:
    """All scores that suites may name; imports those of installed packages, once.

    Raises:
        ScorerError: a package's score cannot be imported, or its import registers no score of that name.
    """
    for point in entry_points(group=GROUP):
        package = point.dist.name if point.dist else "an installed package"
        try:
            point.load()
        except Exception as error:
            raise ScorerError(
                f"the score '{point.name}' of {package} cannot be loaded from {point.value}\n"
                f"  {type(error).__name__}: {error}"
            ) from error
        if point.name not in SCORERS:
            raise ScorerError(
                f"the package {package} names a score '{point.name}' that {point.value} does not register\n"
                f'  write @scorer("{point.name}") before it'
            )
    return SCORERS
