"""What changed between two runs in, lines for a terminal out: what was not alike, the gates, and the probes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.reporting.gate_table import verdict
from harness.reporting.history.compare import Changes, GateChange, beyond_noise
from harness.reporting.history.found import FoundRun
from harness.reporting.in_short import gate_name
from harness.reporting.measured import measured
from harness.reporting.only_accepted import by_acceptances
from harness.reporting.rows import GateRow
from harness.reporting.run_rows import ModelRow
from harness.tables import aligned
from harness.wording import count, points, some

MOST = 5
"""Probes of a suite written out."""


def changes_lines(before: FoundRun, after: FoundRun, changes: Changes) -> Iterator[str]:
    """All that a reader needs to tell whether a run is worse than another."""
    for found in (before, after):
        run = found.record.run
        began = run.started[:16].replace("T", " ")
        tuned, baseline = (row.reference if row else "-" for row in (run.tuned, run.baseline))
        status = by_acceptances(run.status, (row.without_accepted for row in found.record.gates))
        yield f"{found.name}: {began}, {tuned} against {baseline}, {status}"
    yield from _unlike(before, after, changes)
    yield ""
    yield _together(changes)
    yield from _gates(changes)
    yield from _probes("right before, wrong now", changes.worse)
    yield from _probes("wrong before, right now", changes.better)


def _unlike(before: FoundRun, after: FoundRun, changes: Changes) -> Iterator[str]:
    """What makes the two runs hard to compare."""
    first, second = before.record.run, after.record.run
    if (same := _same(first.tuned, second.tuned)) is True:
        yield "both asked the same tuned model: what changed is not the model"
    elif same is None and first.tuned and second.tuned:
        yield "whether both asked the same tuned model is unknown: its weights are not in both records"
    if _same(first.baseline, second.baseline) is False:
        yield "the baselines differ, so drops differ for that too; probes are compared by the tuned models alone"
    for name in ("device", "dtype", "strict", "fail_on"):
        values = [getattr(run, name) for run in (first, second)]
        if values[0] != values[1]:
            yield f"{name}: {values[0]} and {values[1]}"
    engines = [run.engines.get("tuned") for run in (first, second)]
    if all(engines) and engines[0] != engines[1]:
        yield f"engine: {engines[0]} and {engines[1]}"
    if changes.suites:
        yield f"not the same suite in both: {some(changes.suites, 5)}"
    for suite, number in changes.otherwise.items():
        yield f"{suite}: {count(number, 'probe')} asked or judged otherwise, which do not count here"
    if any(changes.alone):
        yield f"{changes.alone[0]:,} probes only in the first, {changes.alone[1]:,} only in the second: they do not count here"
    for keys, which in ((changes.gone, "first"), (changes.new, "second")):
        if keys:
            yield f"{count(len(keys), 'gate')} only in the {which}: {some([' '.join(key) for key in keys], MOST)}"


def _same(first: ModelRow | None, second: ModelRow | None) -> bool | None:
    """Whether two models have the same weights; None if that is unknown."""
    if first is None or second is None or first.weights is None or second.weights is None:
        return None
    return (first.weights, first.base_weights) == (second.weights, second.base_weights)


def _together(changes: Changes) -> str:
    worse, better = (sum(map(len, side.values())) for side in (changes.worse, changes.better))
    if not changes.compared:
        return "no probe was asked alike in both runs, so nothing can be compared"
    text = f"of {count(changes.compared, 'probe')} in both, {worse:,} got worse and {better:,} better"
    return text if changes.p is None else f"{text}: {_judged(changes.p)}"


def _judged(p: float) -> str:
    return f"{'more than noise' if beyond_noise(p) else 'no more than noise'} (p = {p:.2g})"


def _gates(changes: Changes) -> Iterator[str]:
    shown = [gate for gate in changes.gates if gate.decided_otherwise or gate.more_than_noise]
    yield ""
    if not changes.gates:
        yield "no gate is in both runs"
        return
    if not shown:
        yield f"none of {count(len(changes.gates), 'gate')} in both was decided otherwise, or changed by more than noise"
        return
    yield f"{len(shown):,} of {count(len(changes.gates), 'gate')} in both changed"
    heading = ("gate", "before", "now", "drop", "now", "worse", "better", "change")
    yield from aligned([heading, *map(_gate, shown)], left={0, 1, 2, 7})


def _gate(gate: GateChange) -> tuple[str, ...]:
    alone = gate.before.over == "each"
    return (
        gate_name(gate.before),
        *(f"{verdict(row)}, {row.outcome}" if row.outcome not in verdict(row) else verdict(row) for row in (gate.before, gate.after)),
        *(_drop(row) for row in (gate.before, gate.after)),
        f"{gate.worse:,}",
        f"{gate.better:,}",
        "one probe" if alone else "not compared" if gate.p is None else _judged(gate.p),
    )  # fmt: skip


def _drop(row: GateRow) -> str:
    found = measured(row)
    return found.shown if found.unit or found.value is None else points(found.value)


def _probes(what: str, by_suite: Mapping[str, Sequence[str]]) -> Iterator[str]:
    if by_suite:
        yield ""
        yield what
    for suite, ids in by_suite.items():
        yield f"  {suite}  {count(len(ids), 'probe')}: {some(ids, MOST)}"
