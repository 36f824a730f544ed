"""Decide which suites may be asked: scoring some of them runs code that a model wrote, which needs permission."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.errors import InputError, Problem
from harness.scoring.python import Python
from harness.spelling import on_command_line, option
from harness.suites.composed import simple
from harness.suites.scorer import Scorer
from harness.suites.suite import Probe, Suite


def code_problem(suite: Suite, probes: Iterable[Probe], allowed: bool) -> Problem | None:
    """Why `probes` of a suite may not be asked: scoring one runs code that is not `allowed`, or cannot be confined here."""
    for probe in probes:
        if not probe.scorer.runs_code:
            continue
        runs = (
            f"the suite '{suite.name}' runs code that a model wrote: the probe '{probe.id}' has the score "
            f"'{_running(probe)[0].name}'"
        )
        if not allowed:
            bounds = " (it runs confined: no network, no other process, no file but its own)"
            confined = all(isinstance(scorer, Python) for scorer in _running(probe))
            hint = f"allow it: {option('allow_code')}{bounds if confined else ''}"
            return Problem(probe.span or suite.span, runs, hint)
        if reason := probe.scorer.refusal():
            return Problem(probe.span or suite.span, runs, reason)
    return None


def check_consent(suites: Iterable[Suite], allowed: bool) -> None:
    """Raise InputError for suites that may not be asked, as `code_problem` tells, with the first probe of each."""
    problems = (code_problem(suite, suite.probes, allowed) for suite in suites)
    if found := list(filter(None, problems)):
        raise InputError(found)


def _running(probe: Probe) -> list[Scorer]:
    """Of the scores that the probe's score is made of, those that run code."""
    return [scorer for scorer in simple(probe.scorer) if scorer.runs_code]


def without_code(suites: Sequence[Suite], anyway: bool = False) -> tuple[list[Suite], list[str]]:
    """The suites that run no code, and a note for each suite left out.

    If every suite runs code, all are returned for the caller to refuse, unless something else is asked `anyway`.
    """
    rest = [suite for suite in suites if not any(probe.scorer.runs_code for probe in suite.probes)]
    if not rest and not anyway:
        return list(suites), []
    return rest, [
        f"{suite.name}: left out, because it runs code that a model wrote; include it with {option('allow_code')}"
        for suite in suites
        if suite not in rest
    ]


def with_consent(
    target: Suite | None, general: Sequence[Suite], allowed: bool
) -> tuple[list[Suite], list[str]]:
    """The general suites that may be asked, and a note for each one left out because it runs code.

    Args:
        target: a suite that must be asked; None for none.

    Raises:
        InputError: the target runs code and may not, nothing else is left, or code cannot be confined here.
    """
    rest, notes = (list(general), []) if allowed else without_code(general)
    check_consent([*filter(None, [target]), *rest], allowed)
    return rest, [on_command_line(note) for note in notes]
