"""The rows of all gates in, the rows of a table of them out, the worst first, with their verdicts in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from harness.gate.compare import comparison
from harness.gate.decide import Outcome
from harness.reporting.only_accepted import only_because
from harness.reporting.record import compared
from harness.reporting.rows import GateRow

WORST_FIRST = ("failed", "excused", "warned", "skipped", "passed")

Standing = Literal["good", "bad", "open", "none"]
"""How a gate looks: within its margin or lost; `open` where that cannot be told; `none` where nothing was decided."""


def table_rows(gates: Sequence[GateRow]) -> list[GateRow]:
    """The overall gate, then one row a slice, the worst first; the cases over `each` probe share one row a suite."""
    slices = [row for row in gates if row.over != "each"]
    by_suite: dict[str, list[GateRow]] = {}
    for row in gates:
        if row.over == "each":
            by_suite.setdefault(row.suite, []).append(row)
    rows = [*slices, *map(_joined, by_suite.values())]
    return sorted(
        rows,
        key=lambda row: (
            row.over != "overall",
            WORST_FIRST.index(row.outcome),
            -(row.drop if row.drop is not None else -2.0),
        ),
    )


def _joined(rows: Sequence[GateRow]) -> GateRow:
    outcomes, verdicts = ({getattr(row, name) for row in rows} for name in ("outcome", "verdict"))
    # a skipped probe counts only if no other was decided
    outcome = min(outcomes - {"skipped"} or outcomes, key=WORST_FIRST.index)
    ended = {"outcome": outcome, **_accepted_of(rows, outcome)}
    joined = rows[0].model_copy(update={"slice": "each", "n": len(rows), **ended})
    if any(row.kept is None for row in rows):
        accuracy = sum(row.tuned_accuracy for row in rows) / len(rows)
        return joined.model_copy(update={"tuned_accuracy": accuracy, "drop": None})
    total = comparison(
        *(sum(getattr(row, name) for row in rows) for name in ("kept", "lost", "gained", "missed"))
    )
    verdict = next((name for name in ("FORGOTTEN", "RETAINED") if name in verdicts), "VACUOUS")
    # a probe that is lost at first, and not in most of its attempts, is not lost
    lost = sum(row.verdict == "FORGOTTEN" for row in rows)
    return joined.model_copy(update={**compared(total), "lost": lost, "verdict": verdict})


def _accepted_of(rows: Sequence[GateRow], outcome: Outcome) -> dict[str, Any]:
    """Of cases that share a row: how many of their losses are accepted, and the outcome without that."""
    without = min((row.without_accepted or row.outcome for row in rows), key=WORST_FIRST.index)
    accepted = sum(row.accepted or 0 for row in rows)
    worse = WORST_FIRST.index(without) < WORST_FIRST.index(outcome)
    return {"accepted": accepted or None, "without_accepted": without if accepted and worse else None}


def verdict(row: GateRow) -> str:
    """The verdict and, where it does not follow from it, what became of the case."""
    if row.outcome == "skipped":
        return "not gated" if row.not_gated else "undecided"
    if row.verdict is None:
        return "RIGHT" if row.outcome == "passed" else "WRONG"
    if why := only_because(row):
        return f"{row.verdict}, {why}"
    follows = {"RETAINED": "passed", "FORGOTTEN": "failed"}.get(row.verdict) == row.outcome
    return row.verdict if follows or row.outcome == "passed" else f"{row.verdict}, {row.outcome}"


def run_standing(status: str) -> Standing:
    """How a run looks, by its status."""
    standings: dict[str, Standing] = {"passed": "good", "forgotten": "bad", "error": "bad"}
    return standings.get(status, "open")


def standing(row: GateRow) -> Standing:
    """How a gate looks."""
    standings: dict[Outcome, Standing] = {"passed": "good", "failed": "bad", "skipped": "none"}
    return standings.get(row.outcome, "open")
