"""What can be wrong with a user's input, as a tree of errors: places in, readable text out.

HarnessError            your input; a plain AssertionError is our bug and keeps its traceback
├── InputError          problems in a file, each with its line and column
│   ├── SuiteError
│   └── RecipeError
├── ModelError          a model reference that cannot be used
├── EngineError         a model that loads but cannot answer
├── ScorerError         a score that cannot be loaded, or that broke while it judged
├── LimitError          something that takes more time or memory than it may
└── NoEvidenceError     numbers that prove nothing: empty, unpaired or NaN
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from harness.spelling import in_python, on_command_line
from harness.visible import visible

MOST_TOLD = 100
"""Problems that are written out; the rest is counted."""

MOST_CHARACTERS = 1_000
"""Of what a problem says: a value that it quotes may be as long as its file."""

HARNESS = Path(__file__).parent
LONGEST_NAME = 100
MOST_NAMES = 1_000
"""What is held against each other to find the name that was meant."""


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

    @property
    def text(self) -> str:
        """The whole of it, in which options are still marks."""
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
    """The input of a run cannot be used; `str()` is the whole message for a caller in Python, safe to be shown anywhere.

    `text` is for a message that takes it up: options in it are still marks.
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
        super().__init__(*told(self.problems))


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


class LimitError(HarnessError):
    """Something in a file that takes more time or memory than it may, and what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}\n  {hint}")
        self.message = message
        self.hint = hint


class NoEvidenceError(HarnessError, ValueError):
    """Numbers from which nothing follows: empty, unpaired or NaN."""


def told(problems: Sequence[Problem]) -> list[str]:
    """Each problem's text; of more than MOST_TOLD the first, how many more there are, and the last if it has no place."""
    listed = [problem.text for problem in problems[:MOST_TOLD]]
    last = [problem.text for problem in problems[MOST_TOLD:][-1:] if not problem.span]
    more = len(problems) - len(listed) - len(last)
    counted = [f"and {more:,} more {'problem' if more == 1 else 'problems'}"] if more else []
    return [*listed, *counted, *last]


def shortened(text: str, most: int = MOST_CHARACTERS) -> str:
    """Text of at most about `most` characters; of a longer one its beginning and its end."""
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 2 :]}"


def as_message(text: str) -> str:
    """A message of which a terminal obeys nothing; its lines after the first are indented, and no value begins another."""
    return "\n".join(map(visible, re.split(r"\n(?=  )", text)))


def shown_path(path: Path) -> str:
    """The path as a person would type it: relative to the working folder where that is shorter."""
    try:
        return visible(str(path.relative_to(Path.cwd())))
    except (ValueError, OSError):
        return visible(str(path))


def what_was_raised(error: BaseException) -> str:
    """What code that is not ours raised, and where in it."""
    if isinstance(error, HarnessError):
        return error.text
    steps = traceback.extract_tb(error.__traceback__)
    step = next((step for step in steps if not Path(step.filename).is_relative_to(HARNESS)), steps[-1])
    where = f"{shown_path(Path(step.filename))}:{step.lineno}"
    return f"it raised {type(error).__name__}{f': {error}' if str(error) else ''} ({where})"


def first_line(error: object, most: int = 300) -> str:
    """The first line of what an error of another library says."""
    lines = str(error).strip().splitlines()
    return visible(lines[0][:most]) if lines else ""


def reason(error: OSError) -> str:
    """What the system says of a file that cannot be read or written."""
    return error.strerror or first_line(error) or type(error).__name__


def did_you_mean(seen: str, known: Iterable[str]) -> str | None:
    """`did you mean 'x'?` with the nearest known name, or None when none is near, or there is too much to be compared."""
    if len(seen) > LONGEST_NAME:
        return None
    names = [name for name in islice(known, MOST_NAMES) if len(name) <= LONGEST_NAME]
    near = get_close_matches(seen, names, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else None
