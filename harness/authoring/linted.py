"""Suites in, their weaknesses out, which the store remembers until a suite or the code that looks for them changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.engine.settings import Settings
from harness.errors import Problem, Span
from harness.evaluation.verdicts import is_built_in
from harness.store.opening import open_store
from harness.store.shelf import Store
from harness.suites.suite import Suite
from harness.versions import code_digest


def weaknesses_of(suites: Sequence[Suite], *, with_battery: bool) -> Iterator[Problem]:
    """The weaknesses of suites, as `lint_rules.weaknesses` finds them.

    Suites with scores of a user's own, whose code may change at any time, are looked through every time.
    """
    store = open_store(Settings())
    for suite in suites:
        lasting = all(is_built_in(probe.scorer) for probe in suite.probes)
        yield from _known(suite, with_battery, store) if store and lasting else _found(suite, with_battery)


def _found(suite: Suite, with_battery: bool) -> list[Problem]:
    from harness.authoring.lint_rules import weaknesses  # loads scipy

    return weaknesses(suite, with_battery=with_battery)


def _known(suite: Suite, with_battery: bool, store: Store) -> list[Problem]:
    # its text has every value of a suite, and messages may name paths from the working folder
    key = ["weaknesses", code_digest(), str(Path.cwd()), with_battery, repr(suite)]
    rows = store.fact(*key)
    if rows is None:
        found = _found(suite, with_battery)
        store.keep_fact([_written(problem) for problem in found], *key)
        return found
    return [_read(row) for row in rows]


def _written(problem: Problem) -> list[Any]:
    span = problem.span
    place = None if span is None else [str(span.path), span.line, span.column]
    return [place, problem.message, problem.hint, problem.alike]


def _read(row: Sequence[Any]) -> Problem:
    place, message, hint, alike = row
    span = None if place is None else Span(Path(place[0]), place[1], place[2])
    return Problem(span, message, hint, alike)
