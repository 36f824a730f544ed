"""Arguments of Python functions in, a HarnessError out for one that makes no sense, before any model is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from pathlib import Path
from typing import Any

from harness.documents.validate import describe
from harness.errors import HarnessError
from harness.shipped import suite_files
from harness.suites.severity import SEVERITIES


def check(name: str, value: Any, fits: bool, expected: str) -> None:
    """Raise HarnessError unless the value of an argument fits the words for it."""
    if not fits:
        raise HarnessError(f"{name} must be {expected}, saw {describe(value):.80}")


def is_whole(value: Any, least: int) -> bool:
    """Whether the value is a whole number of at least `least`; True and False are not."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_share(value: Any) -> bool:
    """Whether the value is a number from 0 to 1."""
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) <= 1


def is_fraction(value: Any) -> bool:
    """Whether the value is a number above 0 and below 1."""
    return is_share(value) and 0 < float(value) < 1


def check_flags(**flags: Any) -> None:
    """Refuse what is neither True nor False: the text "no" is true."""
    for name, value in flags.items():
        check(name, value, isinstance(value, bool), "True or False")


def check_sample(sample: Any, seed: Any) -> None:
    """Refuse a sample of no probes."""
    check("sample", sample, sample is None or is_whole(sample, 1), "at least 1 probe, or None for all")
    check("seed", seed, isinstance(seed, int) and not isinstance(seed, bool), "a whole number")


def check_severity(fail_on: Any) -> None:
    """Refuse another severity than there is."""
    if fail_on not in SEVERITIES:
        raise HarnessError(f"fail_on must be one of {', '.join(SEVERITIES)}, saw {fail_on!r}")


def paths_of(suites: Any) -> list[Path]:
    """The paths of suites, of one or several; where a name is no path, the suite of that name that ships."""
    several = isinstance(suites, Iterable) and not isinstance(suites, str)
    paths = list(suites) if several else [suites]
    for path in paths:
        check("suites", path, isinstance(path, str | Path), "paths of suite files or of folders")
    shipped = suite_files()
    return [
        shipped[str(path)] if str(path) in shipped and not path.exists() else path
        for path in map(Path, paths)
    ]
