"""The problems of one file, each once and in order; too many of them end its reading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.errors import InputError, Problem, SuiteError, did_you_mean
from harness.limits import MOST_HINTS, MOST_PROBLEMS


class Problems:
    """Everything wrong with a file so far.

    Args:
        error: the type of error to raise when there are too many.
    """

    def __init__(self, found: Iterable[Problem] = (), error: type[InputError] = SuiteError) -> None:
        self._found = dict.fromkeys(found)
        self._error = error

    def add(self, *problems: Problem) -> None:
        """Note problems; one that is known already is not noted again.

        Raises:
            InputError: there are MOST_PROBLEMS of them, so the rest of the file is not worth reading.
        """
        self._found.update(dict.fromkeys(problems))
        if len(self) >= MOST_PROBLEMS:
            rest = Problem(None, f"after {MOST_PROBLEMS:,} problems the rest was not read")
            raise self._error([*self, rest])

    def near(self, seen: str, known: Iterable[str]) -> str | None:
        """`did you mean 'x'?`, as `did_you_mean`, for the first MOST_HINTS problems."""
        return did_you_mean(seen, known) if self.few else None

    @property
    def few(self) -> bool:
        """Whether there are so few problems that each is worth a hint, which takes time to find."""
        return len(self) < MOST_HINTS

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
