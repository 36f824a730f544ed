"""The rows of all gates in, the exit code of the run out: what was not decided is no pass."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from harness.gate.cases import FLIPS
from harness.reporting.rows import GateRow
from harness.suites.suite import OVERALL

TOGETHER = "all suites together"
"""What the gate over their drop is called, where it was asked for and decided nothing."""


def exit_code(gates: Sequence[GateRow], named: Collection[str] = ()) -> int:
    """The exit code of a run with these gates: 1 if one failed, 5 if none, or none of a suite, was decided, else 0.

    Args:
        named: the suites that the user named, and `overall` if its margin was given.
    """
    outcomes = {row.outcome for row in gates}
    if "failed" in outcomes:
        return 1
    return 0 if outcomes & {"passed", "warned"} and not undecided_suites(gates, named) else 5


def undecided_suites(gates: Sequence[GateRow], named: Collection[str]) -> list[str]:
    """The suites of which nothing was decided; one that was not named may be decided by the overall gate that pools it.

    A gate over all suites that was asked for is listed like a suite: the one over answers that flip is always, the one over
    the drop if `named` has its name. What was named and has no row at all was not even asked.
    """
    decided = {_name(row) for row in gates if row.outcome != "skipped"}
    pooled = {row.suite for row in gates if row.max_drop is not None and decided & _pools(row)}
    known = decided | (pooled | {OVERALL}) - set(named)
    names = dict.fromkeys([*map(_name, gates), *named])
    return [TOGETHER if name == OVERALL else name for name in names if name not in known]


def _pools(row: GateRow) -> set[str]:
    """The gates over all suites that pool a slice: of what the baseline does not know, flips alone count."""
    unknown = row.verdict == "VACUOUS" and row.undecided and not row.not_gated
    return {FLIPS} if unknown else {OVERALL, FLIPS}


def _name(row: GateRow) -> str:
    return row.suite if row.max_flips is None else FLIPS
