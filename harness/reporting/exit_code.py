"""The rows of all gates in, the exit code of the run out: what was not decided is no pass."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from harness.reporting.rows import GateRow
from harness.suites.suite import OVERALL

FLIPS = "answers that flip"
"""What a gate over them is called."""


def exit_code(gates: Sequence[GateRow], named: Collection[str] = ()) -> int:
    """The exit code of a run with these gates: 1 if one failed, 5 if none, or none of a suite, was decided, else 0."""
    outcomes = {row.outcome for row in gates}
    if "failed" in outcomes:
        return 1
    return 0 if outcomes & {"passed", "warned"} and not undecided_suites(gates, named) else 5


def undecided_suites(gates: Sequence[GateRow], named: Collection[str]) -> list[str]:
    """The suites of which nothing was decided; one that was not named may be decided by the overall gate that pools it.

    A gate over answers that flip is there because it was asked for, so it is listed like a suite.
    """
    decided = {row.suite for row in gates if row.outcome in ("passed", "warned", "failed", "excused")}
    pooled = {row.suite for row in gates if row.max_drop is not None and OVERALL in decided} - set(named)
    flips = [FLIPS for row in gates if row.max_flips is not None and row.outcome == "skipped"]
    names = dict.fromkeys(row.suite for row in gates)
    return [*(name for name in names if name not in decided | pooled | {OVERALL}), *flips]
