"""Suites, and whether the code in answers may run, in; which of them may be asked, and why the others may not, out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.errors import Problem
from harness.scoring.python import Python
from harness.spelling import option
from harness.suites.suite import Probe, Suite


def runs_code(suite: Suite) -> bool:
    """Whether judging the suite runs what a model wrote."""
    return any(probe.scorer.runs_code for probe in suite.probes)


def code_problem(suite: Suite, probes: Iterable[Probe], allowed: bool) -> Problem | None:
    """Why `probes` of a suite may not be asked: one runs code that is not `allowed`, or cannot be confined here."""
    for probe in probes:
        if not probe.scorer.runs_code:
            continue
        runs = (
            f"the suite '{suite.name}' runs code that a model wrote: the probe '{probe.id}' has the score "
            f"'{probe.scorer.name}'"
        )
        if not allowed:
            bounds = " (it runs confined: no network, no other process, no file but its own)"
            hint = f"allow it: {option('allow_code')}{bounds if isinstance(probe.scorer, Python) else ''}"
            return Problem(probe.span or suite.span, runs, hint)
        if reason := probe.scorer.refusal():
            return Problem(probe.span or suite.span, runs, reason)
    return None


def without_code(suites: Sequence[Suite], anyway: bool = False) -> tuple[list[Suite], list[str]]:
    """The suites that run no code, and a note for each of the others, which is not asked.

    Where all of them run some, all of them, to be refused; unless something else is asked `anyway`.
    """
    rest = [suite for suite in suites if not runs_code(suite)]
    if not rest and not anyway:
        return list(suites), []
    return rest, [
        f"{suite.name}: left out, because it runs code that a model wrote; {option('allow_code')} asks it"
        for suite in suites
        if suite not in rest
    ]
