"""A Record in, the terminal summary out: a row for each suite and slice, the worst first, and what was not measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.gate.cases import shown_slice
from harness.gate.compare import comparison
from harness.gate.stopping import ALL_ASKED
from harness.reporting.exit_code import undecided_suites
from harness.reporting.explain import INTERVAL, at_most
from harness.reporting.noise import noise_lines
from harness.reporting.record import compared
from harness.reporting.rows import AnswerRow, CasesRow, GateRow, ProbeRow, Record
from harness.reporting.sequential import sequential_lines
from harness.spelling import option
from harness.tables import aligned
from harness.visible import visible_lines
from harness.wording import between, count, points, some, tenths

COLUMNS = ("suite", "slice", "n", "baseline", "tuned", "drop", INTERVAL, "margin", "verdict")
LEFT = {0, 1, 8}
MOST_UNDECIDED = 5
NO_GATE = "no gate was decided, so this run says nothing about the model"
ADAPTER = (
    "The tuned model is an adapter, so the forgetting is removable: with the adapter off, the base is unchanged. "
    "With it on, the model has forgotten."
)
WORST_FIRST = ("failed", "excused", "warned", "skipped", "passed")


def render(record: Record) -> str:
    """The summary as text that is safe to show in a terminal."""
    lines = (*_summary(record), *_lost_with_workers(record), *_not_measured(record))
    return "\n".join(line for text in lines for line in visible_lines(text))


def _summary(record: Record) -> Iterator[str]:
    run = record.run
    if run.tuned and run.baseline:
        yield f"tuned     {_named(run.tuned.reference, run.tuned.name)}"
        yield f"baseline  {_named(run.baseline.reference, run.baseline.name)}"
    if run.device:
        asking = sum(run.seconds_asking.values())
        floats = f" in {run.dtype}" if run.dtype else ""
        yield f"on {run.device}{floats}; {asking:.0f} s asking, {run.seconds:.0f} s in all"
    yield from _reasoning(record.probes)
    yield from noise_lines(run.noise)
    yield from sequential_lines(run.sequential)
    for note in run.notes:
        yield f"note: {note}"
    yield ""
    if record.gates:
        yield from aligned([COLUMNS, *map(_cells, table_rows(record.gates))], LEFT)
        yield from _undecided(record)
        yield from _without_verdict(record)
        yield from _what_now(record)
    else:
        yield NO_GATE


def _reasoning(probes: Sequence[ProbeRow]) -> Iterator[str]:
    """A line on how much each model reasoned, and how often without an end; nothing if neither did."""
    sides = {
        "baseline": [row.baseline for row in probes if row.baseline is not None],
        "tuned model": [row.tuned for row in probes],
    }
    if any(row.reasoning_tokens is not None for rows in sides.values() for row in rows):
        yield "reasoning: " + "; ".join(_thought(side, rows) for side, rows in sides.items() if rows)


def _thought(side: str, rows: Sequence[AnswerRow]) -> str:
    tokens = sum(row.reasoning_tokens or 0 for row in rows) / len(rows)
    unended = sum(row.reasoning_ended is False for row in rows)
    return f"the {side} wrote {tokens:.0f} tokens on average, and did not end it in {unended} of {len(rows)} answers"


def _undecided(record: Record) -> Iterator[str]:
    """The slices that were too small to decide anything; those of suites that stopped early were not meant to."""
    stopped = {suite for suite, row in record.run.sequential.items() if row.why != ALL_ASKED}
    skipped = [row for row in record.gates if row.outcome == "skipped" and row.undecided]
    rows = [row for row in skipped if row.suite not in stopped]
    if rows:
        yield ""
        why = ":" if any(row.needs for row in rows) else ", for lack of probes:"
        yield f"{count(len(rows), 'gate')} of {len(record.gates)} decided nothing{why}"
        for row in rows[:MOST_UNDECIDED]:
            yield f"  {row.suite}  {row.slice}: {row.undecided}"
        if len(rows) > MOST_UNDECIDED:
            yield f"  and {len(rows) - MOST_UNDECIDED} more; ask enough with a larger {option('sample')}, or none"


def _without_verdict(record: Record) -> Iterator[str]:
    """The suites about which nothing was decided, where that keeps the run from passing."""
    suites = undecided_suites(record.gates, record.run.named)
    if suites and any(row.outcome != "skipped" for row in record.gates):
        yield ""
        it = "it" if len(suites) == 1 else "them"
        yield f"nothing was decided about {some(suites, 5)}, which is no pass: ask more of {it}, or leave {it} out"


def _what_now(record: Record) -> Iterator[str]:
    """After a failed gate: whether the loss can be undone, and what to try."""
    if not any(row.outcome == "failed" and row.verdict != "VACUOUS" for row in record.gates):
        return
    yield ""
    yield from record.run.observed
    if record.run.tuned and record.run.tuned.base_weights:
        yield ADAPTER
    if record.run.untried:
        yield f"Mitigations that this recipe has not tried, the least costly first: {', '.join(record.run.untried)}."
    yield "Effects of each mitigation: docs/mitigations.md; measure your own recipes: python -m harness ladder RECIPES"


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
    joined = rows[0].model_copy(update={"slice": "each", "n": len(rows), "outcome": outcome})
    if any(row.kept is None for row in rows):
        accuracy = sum(row.tuned_accuracy for row in rows) / len(rows)
        return joined.model_copy(update={"tuned_accuracy": accuracy, "drop": None})
    total = comparison(
        *(sum(getattr(row, name) for row in rows) for name in ("kept", "lost", "gained", "missed"))
    )
    verdict = next((name for name in ("FORGOTTEN", "RETAINED") if name in verdicts), "VACUOUS")
    # a probe that was lost once, and not by the majority of its attempts, is not lost
    lost = sum(row.verdict == "FORGOTTEN" for row in rows)
    return joined.model_copy(update={**compared(total), "lost": lost, "verdict": verdict})


def _cells(row: GateRow) -> tuple[str, ...]:
    """Accuracies in percent; drop, interval and margin in points; of texts, the rise of their bits per byte in percent."""
    head = (row.suite, shown_slice(row.slice), str(row.n))
    if row.max_rise is not None:
        rise, interval = row.rise, row.rise_interval
        return (
            *head,
            "-",
            "-",
            "-" if rise is None else f"{100 * rise:+.1f} %",
            "-" if interval is None else f"{between(interval)} %",
            f"{points(row.max_rise)} %",
            _verdict(row),
        )
    return (
        *head,
        "-" if row.baseline_accuracy is None else tenths(row.baseline_accuracy),
        tenths(row.tuned_accuracy) if row.n else "-",
        "-" if row.drop is None else tenths(row.drop),
        "-" if row.interval is None else between(row.interval),
        "-" if row.max_drop is None else points(row.max_drop),
        _verdict(row),
    )


def _verdict(row: GateRow) -> str:
    words: str = row.verdict or ("RIGHT" if row.outcome == "passed" else "WRONG")
    if row.over == "each" and row.lost:
        words += f" ({row.lost} lost)"
    if row.outcome == "skipped" and row.undecided:
        return "not gated" if row.undecided.startswith("not gated") else "undecided"
    if row.outcome in ("warned", "excused"):
        return f"{words}, {row.outcome}"
    if row.outcome == "failed" and row.verdict not in ("FORGOTTEN", None):
        return f"{words}, failed"
    return words + _bound(row)


def _bound(row: GateRow) -> str:
    """The claim of a RETAINED: ": at most 7.2 points lost"."""
    if row.verdict != "RETAINED" or row.over == "each":
        return ""
    if row.rise_interval is not None:
        return f": up by at most {points(max(row.rise_interval[1], 0.0))} %"
    return "" if row.interval is None else f": {at_most(row.interval[1])}"


def _named(reference: str, name: str) -> str:
    return name if reference == name else f"{reference} ({name})"


def _lost_with_workers(record: Record) -> Iterator[str]:
    """The suites and probes without answers because a worker of xdist died."""
    if record.run.not_measured:
        yield ""
        yield "not measured, because a worker died:"
    for name, ids in record.run.not_measured.items():
        yield f"  {name}  {count(len(ids), 'probe')}: {some(ids, 5)}"


def _not_measured(record: Record) -> Iterator[str]:
    """How many cases were selected, and how they ended; nothing if every case was decided."""
    cases = record.run.cases
    all_decided = cases and cases.decided == cases.selected > 0
    if cases is None or (all_decided and not cases.left_out and not cases.own):
        return
    if record.gates:
        yield ""
        if not cases.decided:
            yield NO_GATE
    yield "; ".join(_endings(cases))


def _endings(cases: CasesRow) -> Iterator[str]:
    endings = {
        "decided": cases.decided,
        "skipped": cases.skipped,
        "excused (xfail)": cases.excused,
        "ended in an error": cases.errors,
        "never asked": cases.never_asked,
    }
    came_to = ", ".join(f"{number:,} {ending}" for ending, number in endings.items() if number)
    yield f"{count(cases.selected, 'case')} selected" + (f": {came_to}" if came_to else "")
    if cases.left_out:
        yield f"{cases.left_out:,} left out"
    if cases.own:
        yield f"{count(cases.own, 'test')} of your own asked the tuned model"
