"""A text that is not YAML in; where each fault began, in its author's words, and the text without them out.

YAML notices a fault where it cannot go on, often far below the place where it began. So each line that may be at fault is
corrected on trial, as an author would correct it, and the first correction with which YAML reads further is the answer.
The rest of the file can then be read as well, and all its problems told at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from harness.documents.mend_lines import corrections
from harness.documents.yaml_faults import Correction, Fault, first_fault
from harness.documents.yaml_nodes import BREAK
from harness.errors import Problem, Span

MOST_FAULTS = 20
"""Faults of one file that are looked for."""

MOST_TRIALS = 60
"""Corrections that are tried for one fault."""

MOST_READ = 6_000_000
"""Characters that are read on trial, a few seconds' worth; of a large file the first fault alone is told, as YAML sees it."""

HIDDEN = "what follows was not read; run again once this is mended"


@dataclass(frozen=True)
class Mended:
    """What was wrong with a text, and the text without it; None if a fault has no known correction."""

    problems: Sequence[Problem]
    text: str | None
    lines: frozenset[int]
    """The numbers, from 1, of the lines that were corrected."""


def mended(path: Path, text: str) -> Mended:
    """The faults of a text that is not YAML."""
    problems: list[Problem] = []
    touched: set[int] = set()
    left = MOST_READ
    text = "\n".join(BREAK.split(text))
    for _ in range(MOST_FAULTS):
        fault = first_fault(text)
        if fault is None:
            return Mended(problems, text, frozenset(touched))
        tries = min(MOST_TRIALS, left // max(1, len(text)))
        left -= tries * len(text)
        found = _best(text.split("\n"), fault, tries)
        if found is None:
            problems.append(fault.problem(path))
            break
        correction, text = found
        problem = _problem(path, correction)
        if problem in problems:  # no correction after all
            break
        problems.append(problem)
        touched.update(number + 1 for number in correction.lines)
    return Mended(problems, None, frozenset(touched))


def _best(lines: Sequence[str], fault: Fault, tries: int) -> tuple[Correction, str] | None:
    """The correction with which YAML reads furthest, the first of several, and the text with it; None if there is none."""
    best, furthest = None, 0
    for correction in islice(corrections(lines, fault), tries):
        if best is not None and not any(correction.lines.values()):  # to remove a line is the last resort
            break
        trial = "\n".join(_with(lines, correction.lines))
        after = first_fault(trial)
        if after is None or not after.is_syntax:
            return correction, trial
        if correction.swallows and after.line > max(correction.lines) + 1:
            return correction, trial
        if after.line > furthest and _is_further(after, fault, correction):
            best, furthest = (correction, trial), after.line
    return best


def _with(lines: Sequence[str], changed: Mapping[int, str]) -> Iterator[str]:
    return (changed.get(number, line) for number, line in enumerate(lines))


def _is_further(after: Fault, before: Fault, correction: Correction) -> bool:
    """Whether YAML reads further with a correction; where it read to the end before, whether it reads past the correction."""
    return after.line > (max(correction.lines) if before.at_end else before.line)


def _problem(path: Path, correction: Correction) -> Problem:
    span = Span(path, correction.line + 1, correction.column + 1)
    return Problem(span, f"not YAML: {correction.message}", correction.hint)
