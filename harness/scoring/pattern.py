"""Search texts with a suite's regular expressions, in bounded time and memory."""

from __future__ import annotations

from functools import lru_cache

from harness.bounded.bounded import Bounded
from harness.errors import shortened
from harness.limits import MOST_PATTERN

HINT = "write a simpler one, without a repeat inside a repeat, as in (a+)+, or two that can share a text, as in a*a*"

JOBS = Bounded("harness.bounded.pattern_jobs")


def pattern_problem(pattern: str) -> str | None:
    """Why `pattern` cannot be searched for, or None.

    Raises:
        LimitError: compiling it takes too much time or memory.
    """
    if len(pattern) > MOST_PATTERN:
        return f"a regular expression may have {MOST_PATTERN:,} characters, and this one has {len(pattern):,}"
    if not pattern.isalnum():
        return _problem(pattern)
    return None


@lru_cache(maxsize=10_000)
def _problem(pattern: str) -> str | None:
    found: str | None = JOBS.judge("problem", "this regular expression", HINT, pattern=pattern)
    return found


def is_found(pattern: str, text: str) -> bool:
    """Whether `pattern` matches anywhere in `text`; `^` and `$` match at line ends.

    Raises:
        LimitError: the search takes too much time or memory, so the answer is neither right nor wrong.
    """
    what, on = f"the regular expression {shortened(pattern, 100)!r}", f", on {len(text):,} characters"
    return bool(JOBS.judge("found", what, HINT, on, pattern=pattern, text=text))
