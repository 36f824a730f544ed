"""A Record in, the lines of a terminal summary out: one for each suite and slice, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.gate.cases import shown_slice
from harness.gate.compare import comparison
from harness.reporting.explain import INTERVAL
from harness.reporting.measured import not_measured
from harness.reporting.record import GateRow, Record, gate_rows, reasoning_line
from harness.spelling import option
from harness.tables import aligned
from harness.visible import visible_lines
from harness.wording import between, count, points, tenths

COLUMNS = ("suite", "slice", "n", "baseline", "tuned", "drop", INTERVAL, "margin", "verdict")
LEFT = {0, 1, 8}
MOST_UNDECIDED = 5


def render(record: Record) -> str:
    """The whole summary, and what was not measured; a terminal obeys nothing of it."""
    lines = (*_summary(record), *not_measured(record))
    return "\n".join(line for text in lines for line in visible_lines(text))


def _summary(record: Record) -> Iterator[str]:
    run = record.run
    if run.tuned and run.baseline:
        yield f"tuned     {_named(run.tuned.reference, run.tuned.name)}"
        yield f"baseline  {_named(run.baseline.reference, run.baseline.name)}"
    if run.device:
        asking = sum(run.seconds_asking.values())
        yield f"on {run.device} in {run.dtype}; {asking:.0f} s asking, {run.seconds:.0f} s in all"
    if thought := reasoning_line(record.probes):
        yield thought
    for note in run.notes:
        yield f"note: {note}"
    yield ""
    if record.gates:
        yield from aligned([COLUMNS, *map(_cells, table_rows(record.gates))], LEFT)
        yield from _undecided(record.gates)
        yield from _what_now(record)
    else:
        yield "no gate was decided, so this run says nothing of the model"


def _undecided(gates: Sequence[GateRow]) -> Iterator[str]:
    """Which slices were too small to decide anything."""
    rows = [row for row in gates if row.outcome == "skipped" and row.undecided]
    if rows:
        yield ""
        yield f"{count(len(rows), 'gate')} of {len(gates)} decided nothing, for want of probes:"
        for row in rows[:MOST_UNDECIDED]:
            yield f"  {row.suite}  {row.slice}: {row.undecided}"
        if len(rows) > MOST_UNDECIDED:
            yield f"  and {len(rows) - MOST_UNDECIDED} more; a larger {option('sample')}, or none, asks enough"


def _what_now(record: Record) -> Iterator[str]:
    """After a failed gate: whether the loss is for good, and what to try."""
    if not any(row.outcome == "failed" and row.verdict == "FORGOTTEN" for row in record.gates):
        return
    yield ""
    if record.run.tuned and record.run.tuned.base_weights:
        yield (
            "The tuned model is an adapter, so the forgetting is removable: with the adapter off, the base is what it "
            "was. With it on, the model has forgotten."
        )
    if record.run.untried:
        yield f"What this recipe has not tried, the least costly first: {', '.join(record.run.untried)}."
    yield "What each mitigation did here: docs/mitigations.md; what it does for you: python -m harness ladder RECIPES"


def table_rows(gates: Sequence[GateRow]) -> list[GateRow]:
    """One row a slice; the cases of a gate over each probe are gathered into one row a suite."""
    slices = [row for row in gates if row.over != "each"]
    by_suite: dict[str, list[GateRow]] = {}
    for row in gates:
        if row.over == "each":
            by_suite.setdefault(row.suite, []).append(row)
    return gate_rows([*slices, *(_gathered(rows) for rows in by_suite.values())])


def _gathered(rows: Sequence[GateRow]) -> GateRow:
    outcomes = [row.outcome for row in rows]
    outcome = next(
        (name for name in ("failed", "excused", "warned", "passed") if name in outcomes), "skipped"
    )
    first = rows[0]
    common = {"slice": "each", "n": len(rows), "outcome": outcome}
    if any(row.kept is None for row in rows):
        accuracy = sum(row.tuned_accuracy for row in rows) / len(rows)
        return first.model_copy(update={**common, "tuned_accuracy": accuracy, "drop": None})
    kept, lost, gained, missed = (
        sum(getattr(row, name) for row in rows) for name in ("kept", "lost", "gained", "missed")
    )
    whole = comparison(kept, lost, gained, missed)
    verdict = next(
        (name for name in ("FORGOTTEN", "RETAINED") if any(row.verdict == name for row in rows)), "VACUOUS"
    )
    return first.model_copy(
        update={
            **common,
            "kept": kept,
            "lost": lost,
            "gained": gained,
            "missed": missed,
            "baseline_accuracy": whole.baseline_accuracy,
            "tuned_accuracy": whole.tuned_accuracy,
            "drop": whole.drop,
            "interval": whole.interval,
            "verdict": verdict,
        }
    )


def _cells(row: GateRow) -> tuple[str, ...]:
    """Accuracies in percent; drop, interval and margin in points."""
    return (
        row.suite,
        shown_slice(row.slice),
        str(row.n),
        "-" if row.baseline_accuracy is None else tenths(row.baseline_accuracy),
        tenths(row.tuned_accuracy),
        "-" if row.drop is None else tenths(row.drop),
        "-" if row.interval is None else between(row.interval),
        "-" if row.max_drop is None else points(row.max_drop),
        _verdict(row),
    )


def _verdict(row: GateRow) -> str:
    words: str = row.verdict or ("RIGHT" if row.outcome == "passed" else "WRONG")
    if row.over == "each" and row.lost is not None:
        words += f" ({row.lost} lost)" if row.lost else ""
    if row.outcome in ("warned", "excused"):
        return f"{words}, {row.outcome}"
    if row.outcome == "skipped" and row.undecided:
        return "undecided"
    if row.outcome == "failed" and row.verdict not in ("FORGOTTEN", None):
        return f"{words}, failed"
    return words


def _named(reference: str, name: str) -> str:
    return name if reference == name else f"{reference} ({name})"
