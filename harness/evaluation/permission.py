"""A suite, and whether the code in answers may run, in; the problem that keeps it from being asked, or None, out."""

from __future__ import annotations

from collections.abc import Iterable

from harness.errors import Problem
from harness.scoring.python import Python
from harness.suites.suite import Probe, Suite


def code_problem(suite: Suite, probes: Iterable[Probe], allowed: bool, how: str) -> Problem | None:
    """Why `probes` of a suite may not be asked: one runs code that is not `allowed`, or cannot be confined here.

    Args:
        how: what allows it, as the author of a run would write it.
    """
    for probe in probes:
        if not probe.scorer.runs_code:
            continue
        runs = (
            f"the suite '{suite.name}' runs code that a model wrote: the probe '{probe.id}' has the score "
            f"'{probe.scorer.name}'"
        )
        if not allowed:
            bounds = " (it runs confined: no network, no other process, no file but its own)"
            hint = f"allow it: {how}{bounds if isinstance(probe.scorer, Python) else ''}"
            return Problem(probe.span or suite.span, runs, hint)
        if reason := probe.scorer.refusal():
            return Problem(probe.span or suite.span, runs, reason)
    return None
