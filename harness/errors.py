"""What can be wrong with a user's input, as a tree of errors: places in, readable text out.

HarnessError            your input; a plain AssertionError is our bug and keeps its traceback
├── InputError          problems in a file, each with its line and column
│   ├── SuiteError
│   └── RecipeError
├── ModelError          a model reference that cannot be used
├── EngineError         a model that loads but cannot answer
├── ScorerError         a score that cannot be loaded, or that broke while it judged
└── NoEvidenceError     numbers that prove nothing: empty, unpaired or NaN
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a file; `line` and `column` count from 1."""

    path: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{shown_path(self.path)}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: where, what was seen and expected, and what to do about it."""

    span: Span | None
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        text = f"{self.span}: {self.message}" if self.span else self.message
        return f"{text}\n  {self.hint}" if self.hint else text


class HarnessError(Exception):
    """The input of a run cannot be used; `str()` is the whole message for its author."""


class InputError(HarnessError):
    """Everything wrong with one or more files, in the order of their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        problems = list(problems)
        known = [problem for problem in problems if problem.span]
        self.problems: Sequence[Problem] = [
            *sorted(known, key=lambda problem: (problem.span, problem.message)),
            *(problem for problem in problems if not problem.span),
        ]
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SuiteError(InputError):
    """A suite file that cannot be run as it is written."""


class RecipeError(InputError):
    """A recipe file that cannot be trained as it is written."""


class ModelError(HarnessError):
    """A model reference that names nothing, or nothing that may be loaded."""


class EngineError(HarnessError):
    """A model that was loaded but cannot answer what it is asked."""


class ScorerError(HarnessError):
    """A score that cannot be loaded, or that broke while it judged an answer."""


class NoEvidenceError(HarnessError, ValueError):
    """Numbers from which nothing follows: empty, unpaired or NaN."""


def shown_path(path: Path) -> str:
    """The path as a person would type it: relative to the working folder where that is shorter."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def first_line(error: object, most: int = 300) -> str:
    """The first line of what an error of another library says."""
    lines = str(error).strip().splitlines()
    return lines[0][:most] if lines else ""


def did_you_mean(seen: str, known: Iterable[str]) -> str | None:
    """`did you mean 'x'?` with the nearest known name, or None when none is near."""
    near = get_close_matches(seen, list(known), n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else None
