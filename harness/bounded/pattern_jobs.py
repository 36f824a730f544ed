"""A regular expression in, its fault or whether it matches a text out: jobs for `harness.bounded.bounded`."""

from __future__ import annotations

import re
import warnings


def problem(pattern: str) -> str | None:
    """Why `pattern` cannot be used, or None."""
    try:
        with (
            warnings.catch_warnings()
        ):  # for syntax, such as a set in a set, that later Pythons will read differently
            warnings.simplefilter("error", FutureWarning)
            compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError, FutureWarning) as error:
        return f"not a regular expression: {error}"
    if compiled.search(""):
        return "this regular expression matches empty text, so it matches anything"
    return None


def found(pattern: str, text: str) -> bool:
    """Whether `pattern` matches anywhere in `text`, with `^` and `$` at the ends of lines."""
    return re.search(pattern, text, re.MULTILINE) is not None


JOBS = {"problem": problem, "found": found}
