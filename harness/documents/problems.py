"""The problems of one file, each once and in order; too many of them end its reading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from harness.errors import InputError, Problem, SuiteError, did_you_mean
from harness.limits import MOST_HINTS, MOST_PROBLEMS
from harness.wording import count, some

MOST_LINES = 8
"""Lines with the same problem that are named."""


class Problems:
    """Everything wrong with a file so far.

    Args:
        error: the type of error to raise when there are too many.
        known: the lines of `path` about which everything is said already.
    """

    def __init__(
        self,
        found: Iterable[Problem] = (),
        error: type[InputError] = SuiteError,
        path: Path | None = None,
        known: frozenset[int] = frozenset(),
    ) -> None:
        self._found = dict.fromkeys(found)
        self._error = error
        self._path = path
        self._known = known

    def add(self, *problems: Problem) -> None:
        """Note problems; one that is known already is not noted again.

        Raises:
            InputError: there are MOST_PROBLEMS of them, so the rest of the file is not worth reading.
        """
        self._found.update(dict.fromkeys(problem for problem in problems if not self._is_known(problem)))
        if len(self) >= MOST_PROBLEMS:
            rest = Problem(None, f"after {MOST_PROBLEMS:,} problems the rest was not read")
            raise self._error([*self, rest])

    def _is_known(self, problem: Problem) -> bool:
        span = problem.span
        return bool(self._known) and span is not None and span.path == self._path and span.line in self._known

    def near(self, seen: str, known: Iterable[str]) -> str | None:
        """`did you mean 'x'?`, as `did_you_mean`, for the first MOST_HINTS problems."""
        return did_you_mean(seen, known) if self.few else None

    @property
    def few(self) -> bool:
        """Whether there are so few problems that each is worth a hint, which takes time to find."""
        return len(self) < MOST_HINTS

    def __iter__(self) -> Iterator[Problem]:
        """The problems, those that are alike as one."""
        alike: dict[str, list[Problem]] = {}
        for problem in self._found:
            if problem.alike is None or problem.span is None:
                yield problem
            else:
                alike.setdefault(problem.alike, []).append(problem)
        for problems in alike.values():
            yield _as_one(problems)

    def __len__(self) -> int:
        return len(self._found)


def _as_one(problems: Sequence[Problem]) -> Problem:
    """The first of problems that are alike, which says where the others are."""
    first, *others = sorted(problems, key=lambda problem: (problem.span is None, problem.span))
    lines = list(dict.fromkeys(problem.span.line for problem in others if problem.span))
    if not lines:
        return first
    where = f"line{'' if len(lines) == 1 else 's'} {some(list(map(str, lines)), MOST_LINES)}"
    return replace(first, message=f"{first.message}; so in {count(len(others), 'more place')}: {where}")
