"""Problems of one file in, each once; reading ends where there are too many of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.errors import InputError, Problem, SuiteError, did_you_mean
from harness.limits import MOST_HINTS, MOST_PROBLEMS


class Problems:
    """What is wrong with a file, in the order in which it was found, each thing once.

    Args:
        error: what is raised where there is too much of it.
    """

    def __init__(self, found: Iterable[Problem] = (), error: type[InputError] = SuiteError) -> None:
        self._found = dict.fromkeys(found)
        self._error = error

    def add(self, *problems: Problem) -> None:
        """Note problems.

        Raises:
            InputError: there are so many by now that the rest of the file is not worth reading.
        """
        self._found.update(dict.fromkeys(problems))
        if len(self) >= MOST_PROBLEMS:
            rest = Problem(None, f"after {MOST_PROBLEMS:,} problems the rest was not read")
            raise self._error([*self, rest])

    def near(self, seen: str, known: Iterable[str]) -> str | None:
        """`did you mean 'x'?`, as `did_you_mean`, but not for the thousandth time."""
        return did_you_mean(seen, known) if self.few else None

    @property
    def few(self) -> bool:
        """Whether there are so few that each is worth a hint."""
        return len(self) < MOST_HINTS

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
