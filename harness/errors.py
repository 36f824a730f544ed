"""The errors of a user's input, with their places and messages.

HarnessError            your input; a plain AssertionError is our bug and keeps its traceback
├── InputError          problems in files, each with its line and column
│   ├── SuiteError
│   └── RecipeError
├── ModelError          a model reference that cannot be used
├── EngineError         a model that loads but cannot answer
├── ScorerError         a score that cannot be loaded, or that failed on an answer
├── LimitError          something that exceeds a limit of time or memory
└── NoEvidenceError     numbers that prove nothing: empty, unpaired or NaN
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Self

from harness.spelling import in_python, on_command_line
from harness.visible import visible

MOST_LISTED = 100
"""Problems written out in one error; the rest are counted."""

MOST_CHARACTERS = 1_000
"""Characters of a problem's message, which may quote a value as long as its file."""

HARNESS = Path(__file__).parent
LONGEST_NAME = 100
MOST_NAMES = 1_000
"""Names compared to suggest one for a misspelt name; longer lists and names would take too long."""


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
    alike: str | None = field(default=None, compare=False)
    """What the problems share that are told once, at the first of their places."""

    @property
    def text(self) -> str:
        """The whole message, its options still marks."""
        message = visible(shortened(self.message))
        text = f"{self.span}: {message}" if self.span else message
        return as_message(f"{text}\n  {shortened(self.hint)}" if self.hint else text)

    def __str__(self) -> str:
        return in_python(self.text)

    @property
    def on_command_line(self) -> str:
        """The problem for the author of a command line."""
        return on_command_line(self.text)


class HarnessError(Exception):
    """Unusable input. `str()` is the whole message for a caller in Python, safe to show anywhere.

    `text` is for another message to quote: its options are still marks.
    """

    def __init__(self, *messages: str) -> None:
        self.text = "\n".join(map(as_message, messages))
        super().__init__(in_python(self.text))

    @property
    def on_command_line(self) -> str:
        """The message for the author of a command line."""
        return on_command_line(self.text)


class InputError(HarnessError):
    """Everything wrong with one or more files, in the order of their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        problems = list(problems)
        known = [problem for problem in problems if problem.span]
        self.problems: Sequence[Problem] = [
            *sorted(known, key=lambda problem: (problem.span, problem.message)),
            *(problem for problem in problems if not problem.span),
        ]
        super().__init__(*listed(self.problems))

    @classmethod
    def at(cls, span: Span | None, message: str, hint: str | None = None) -> Self:
        """The error of a single problem."""
        return cls([Problem(span, message, hint)])


class SuiteError(InputError):
    """A suite file with errors."""


class RecipeError(InputError):
    """A recipe file with errors."""


class ModelError(HarnessError):
    """A model reference that names nothing, or nothing that may be loaded."""


class EngineError(HarnessError):
    """A model that loads but cannot answer."""


class ScorerError(HarnessError):
    """A score that cannot be loaded, or that failed on an answer."""


class LimitError(HarnessError):
    """Something in a file that exceeds a limit of time or memory, and how to stay below it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}\n  {hint}")
        self.message = message
        self.hint = hint


class NoEvidenceError(HarnessError, ValueError):
    """Numbers that prove nothing: empty, unpaired or NaN."""


def listed(problems: Sequence[Problem]) -> list[str]:
    """The problems' texts; of more than MOST_LISTED, the first, a count, and the last if it is about the file as a whole."""
    first = [problem.text for problem in problems[:MOST_LISTED]]
    last = [problem.text for problem in problems[MOST_LISTED:][-1:] if not problem.span]
    more = len(problems) - len(first) - len(last)
    counted = [f"and {more:,} more {'problem' if more == 1 else 'problems'}"] if more else []
    return [*first, *counted, *last]


def shortened(text: str, most: int = MOST_CHARACTERS) -> str:
    """Text of about `most` characters at most: the beginning and the end of a longer one."""
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 2 :]}"


def as_message(text: str) -> str:
    """A message made safe to show. Only a line break before an indent is ours; one in a quoted value is escaped."""
    return "\n".join(map(visible, re.split(r"\n(?=  )", text)))


def shown_path(path: Path) -> str:
    """The path as a person would type it: relative to the working folder if it lies in there."""
    try:
        return visible(str(path.relative_to(Path.cwd())))
    except (ValueError, OSError):
        return visible(str(path))


def what_was_raised(error: BaseException) -> str:
    """The error of foreign code, and its place there."""
    if isinstance(error, HarnessError):
        return error.text
    steps = traceback.extract_tb(error.__traceback__)
    step = next((step for step in steps if not Path(step.filename).is_relative_to(HARNESS)), steps[-1])
    where = f"{shown_path(Path(step.filename))}:{step.lineno}"
    return f"it raised {type(error).__name__}{f': {error}' if str(error) else ''} ({where})"


def first_line(error: object, most: int = 300) -> str:
    """The first line of another library's error."""
    lines = str(error).strip().splitlines()
    return visible(lines[0][:most]) if lines else ""


def reason(error: OSError) -> str:
    """The system's reason why a file cannot be read or written."""
    return error.strerror or first_line(error) or type(error).__name__


@contextmanager
def paths_explained() -> Iterator[None]:
    """Raise HarnessError for the system's error about a path that its reader does not expect: too long, or in a closed folder."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise
        raise HarnessError(f"{shown_path(Path(str(error.filename)))}: {reason(error)}") from error


def did_you_mean(seen: str, known: Iterable[str]) -> str | None:
    """`did you mean 'x'?` with the nearest known name; None if none is near."""
    if len(seen) > LONGEST_NAME:
        return None
    names = [name for name in islice(known, MOST_NAMES) if len(name) <= LONGEST_NAME]
    near = get_close_matches(seen, names, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else None
