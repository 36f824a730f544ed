"""A regular expression in, what is wrong with it, or whether it is found in a text, out; for `harness.bounded.bounded`."""

from __future__ import annotations

import re
import warnings


def problem(pattern: str) -> str | None:
    """Why `pattern` cannot be searched for, or None."""
    try:
        with warnings.catch_warnings():  # of a set in a set, which later Pythons will read differently
            warnings.simplefilter("error", FutureWarning)
            compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError, FutureWarning) as error:
        return f"not a regular expression: {error}"
    if compiled.search(""):
        return "this regular expression matches empty text, so it matches anything"
    return None


def found(pattern: str, text: str) -> bool:
    """Whether `pattern` is found in `text`, `^` and `$` at lines."""
    return re.search(pattern, text, re.MULTILINE) is not None


JOBS = {"problem": problem, "found": found}
