"""Score and decide the answers of a record again, without a model.

Scores, right answers and gates come from the record, or from suites that were corrected since, such as a wrong answer key.
Their prompts must be those of the record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from harness.engine.answers import request_key
from harness.engine.prompts import request
from harness.errors import HarnessError, NoEvidenceError, ScorerError
from harness.evaluation.ask import judged
from harness.evaluation.permission import code_problem
from harness.evaluation.record import rows
from harness.evaluation.sample import narrowed
from harness.evaluation.session import PairSession
from harness.evaluation.suite_run import attempts_at
from harness.gate.cases import Case, cases, check_margin_overall, flips_case, overall_case, with_overall
from harness.gate.compare import Pair, pair
from harness.gate.policy import Policy
from harness.gate.stopping import Stop
from harness.reporting.exit_code import exit_code
from harness.reporting.rows import AgainRow, GateRow, ProbeRow, Record, RunRow, SequentialRow
from harness.reporting.run_rows import run_status
from harness.reporting.standing_out import standing_out
from harness.scoring.composed import recorded
from harness.suites.acceptance import Acceptance
from harness.suites.arguments import arguments_of
from harness.suites.suite import OVERALL, EachGate, Gate, MarginGate, Probe, RiseGate, Suite, Task


def rescored(
    record: Record,
    suites: Sequence[Suite] = (),
    policy: Policy | None = None,
    *,
    allow_code: bool = False,
    add_overall: bool = False,
    accepted: Mapping[str, Sequence[Acceptance]] | None = None,
) -> Record:
    """The record with all answers scored and all gates decided again.

    Args:
        suites: replace the recorded suites of the same names.
        policy: None for the record's own.
        add_overall: add the overall gate, with the policy's margin, to a record that has none.
        accepted: by suite, the losses that are accepted; None for those that the record names.

    Raises:
        NoEvidenceError: the record has no raw answers, or no gates.
        HarnessError: a suite's prompt for a probe differs from the recorded one, it has none of the recorded probes, or
            nothing could be pooled for the overall gate that was to be added.
        ScorerError: a score is unknown, or runs code without permission.
    """
    if not record.gates:
        raise NoEvidenceError("the record has no gates, so there is nothing to decide again")
    given = {suite.name: suite for suite in suites}
    if unknown := sorted(given.keys() - {row.suite for row in record.probes}):
        raise HarnessError(f"the suite '{unknown[0]}' is not in the record")
    own = Policy(record.run.strict, record.run.fail_on, record.run.max_drop_overall)
    session = PairSession(
        policy or own,
        allow_code=allow_code,
        baseline=lambda: record.run.baseline,
        forms=record.run.equal is not None,
    )
    if accepted is None:
        accepted = {
            name: [row.acceptance(name) for row in rows] for name, rows in record.run.accepted.items()
        }
    selected: list[Case] = []
    notes: list[str] = []
    for name in dict.fromkeys(row.suite for row in record.gates):
        if name == OVERALL:
            selected += _over_all(record, session.policy.max_drop_overall)
            continue
        probes = [row for row in record.probes if row.suite == name]
        gates = [row for row in record.gates if row.suite == name]
        if name in given:
            suite = as_asked(given[name], probes, record)
            wanted = _in_order(_selected(suite, gates), gates)
            notes += _other_probes(given[name], probes)
        else:
            suite, wanted = _as_recorded(name, gates, probes)
        ids = {row.id for row in probes}
        losses = tuple(loss for loss in accepted.get(name, ()) if loss.probe in ids)
        _answer(session, replace(suite, accepted=losses), probes, allow_code)
        if name in record.run.nothing_known:
            session.suites[name].recorded = (record.run.nothing_known[name],)
        if found := record.run.sequential.get(name):
            session.suites[name].end(_stop(found, suite, gates))
        selected += wanted
    margin, named = session.policy.max_drop_overall, [name for name in record.run.named if name != OVERALL]
    if margin is not None and (add_overall or OVERALL in record.run.named):
        named.append(OVERALL)
    if add_overall and not any(row.suite == OVERALL and row.max_flips is None for row in record.gates):
        check_margin_overall(selected, margin)
        selected = with_overall(selected, margin, of_one=True)
    record = record.model_copy(update={"run": record.run.model_copy(update={"named": named})})
    return _like(record, *rows(session.decide(selected)), session, notes)


def _over_all(record: Record, max_drop: float | None) -> Iterable[Case]:
    """The cases over all suites; the margin of drops is the policy's, that of flips the record's."""
    for row in record.gates:
        if row.suite == OVERALL and row.max_flips is not None:
            yield flips_case(row.max_flips)
        elif row.suite == OVERALL and max_drop is not None:
            yield overall_case(max_drop)


def _like(
    record: Record,
    gates: Iterable[GateRow],
    probes: Iterable[ProbeRow],
    session: PairSession,
    notes: Sequence[str],
) -> Record:
    """The record with new rows, which keep what only the old ones know: places, samples, prompt keys, excuses."""
    before = {(row.suite, row.slice): row for row in record.gates}
    asked = {(row.suite, row.id): row.asked for row in record.probes}
    places = {key: place for place, key in enumerate(asked)}
    decided = [_with_memory(row, before.get((row.suite, row.slice), row)) for row in gates]
    probes = [
        row.model_copy(update={"asked": asked[row.suite, row.id]})
        for row in sorted(probes, key=lambda row: places[row.suite, row.id])
    ]
    code = exit_code(decided, record.run.named) or int(not _is_whole(record.run))
    run = {
        "strict": session.policy.strict,
        "fail_on": session.policy.fail_on,
        "max_drop_overall": session.policy.max_drop_overall,
        "exit_status": code,
        "status": run_status(code, gate_failed=code == 1) if _is_whole(record.run) else record.run.status,
        "observed": standing_out(probes),
        "accepted": session.accepted,
        "notes": [*record.run.notes, *(note for note in notes if note not in record.run.notes)],
    }
    return record.model_copy(update={
        "run": record.run.model_copy(update=run),
        "gates": decided,
        "probes": probes,
    })  # fmt: skip


def _is_whole(run: RunRow) -> bool:
    """Whether the run asked all that it meant to; one that was stopped, or met an error, passes no model."""
    cases = run.cases
    ended = run.status in ("passed", "forgotten", "nothing decided")
    return ended and not run.errors and not (cases and (cases.errors or cases.never_asked))


def _with_memory(row: GateRow, old: GateRow) -> GateRow:
    outcome = "excused" if (row.outcome, old.outcome) == ("failed", "excused") else row.outcome
    return row.model_copy(update={"place": row.place or old.place, "probes": old.probes, "outcome": outcome})


def _answer(session: PairSession, suite: Suite, rows: Iterable[ProbeRow], allow_code: bool) -> None:
    """Score the recorded answers of both models."""
    if problem := code_problem(suite, suite.probes, allow_code):
        raise ScorerError(problem.text)
    session.need_probes(suite, suite.probes)
    by_id = {row.id: row for row in rows}
    session.suites[suite.name].keys = {id: row.asked for id, row in by_id.items() if row.asked}
    baseline = {probe.id: row.raw() for probe in suite.probes if (row := by_id[probe.id].baseline)}
    tuned = {probe.id: by_id[probe.id].tuned.raw() for probe in suite.probes}
    compared = [probe for probe in suite.probes if probe.id in baseline]
    before = judged(suite, compared, baseline, allow_code=allow_code)
    after = judged(suite, suite.probes, tuned, baseline=baseline, allow_code=allow_code)
    session.know("baseline", {suite.name: before})
    session.know("tuned", {suite.name: after})
    for probe in suite.probes:
        if attempts := by_id[probe.id].again:
            session.suites[suite.name].again[probe.id] = _again(suite, probe, attempts, allow_code)


def _stop(row: SequentialRow, suite: Suite, gates: Iterable[GateRow]) -> Stop:
    """Where asking stopped; what is not in the suite any more does not count."""
    order = next((gate.probes for gate in gates if gate.over == "all" and gate.probes), None)
    ids = {probe.id: None for probe in suite.probes}
    return Stop(tuple(id for id in order or ids if id in ids), row.of, row.look, row.why)


def _again(suite: Suite, probe: Probe, rows: Sequence[AgainRow], allow_code: bool) -> tuple[Pair, ...]:
    """The further attempts at a probe, scored."""
    probes = attempts_at(probe, [row.fields for row in rows])
    answers = [
        {probe.id: getattr(row, side).raw() for probe, row in zip(probes, rows, strict=True)}
        for side in ("baseline", "tuned")
    ]
    before = judged(suite, probes, answers[0], allow_code=allow_code)
    after = judged(suite, probes, answers[1], baseline=answers[0], allow_code=allow_code)
    return tuple(pair(probes, before.scores, after.scores))


# From the record


def _as_recorded(name: str, gates: Sequence[GateRow], rows: Sequence[ProbeRow]) -> tuple[Suite, list[Case]]:
    probes = tuple(map(_probe, rows))
    suite = Suite(
        name,
        gates=tuple({_gate(row): None for row in gates}),
        probes=probes,
        severity=next((row.severity for row in gates if row.over != "each"), "high"),
        task=Task(prompt="", answer=probes[0].scorer.judges),  # nothing is asked
        needs={row.slice: row.needs for row in gates if row.needs},
    )
    by_slice = {case.slice: case for case in _selected(suite, gates)}
    return suite, [by_slice[row.slice] for row in gates]


def _gate(row: GateRow) -> Gate:
    if row.over == "each":
        return EachGate(row.require or "retained")
    if (
        row.over == "overall"
        or row.on_inconclusive is None
        or (row.max_drop is None and row.max_rise is None)
    ):
        raise NoEvidenceError(
            "a record of an older version does not describe all of its gates\n  run the gate again"
        )
    if row.max_rise is not None:
        return RiseGate(over=row.over, on_inconclusive=row.on_inconclusive, max_rise=row.max_rise)
    assert row.max_drop is not None
    max_loss = 1.0 if row.max_loss is None else row.max_loss
    return MarginGate(
        over=row.over, on_inconclusive=row.on_inconclusive, max_drop=row.max_drop, max_loss=max_loss
    )


def _probe(row: ProbeRow) -> Probe:
    scorer = recorded(row.score, row.scoring, f" of the probe '{row.id}'")
    text = row.fields.get("text") if scorer.judges == "likelihood" else None
    return Probe(
        id=row.id,
        scorer=scorer,
        fields={} if text is not None else row.fields,
        answers=tuple(row.expected),
        category=row.category,
        cluster=row.cluster,
        severity=row.severity,
        choices=tuple(row.choices),
        text=text,
    )


# From a suite


def as_asked(suite: Suite, rows: Sequence[ProbeRow], record: Record) -> Suite:
    """The suite as a record asked it, over the probes of the record; raises HarnessError if it prompts for one differently."""
    template = arguments_of(record.run.template.get(suite.name, {}))
    task = replace(suite.task, template=template, thinking_tokens=record.run.thinking_tokens.get(suite.name))
    by_id = {row.id: row for row in rows}
    if not any(probe.id in by_id for probe in suite.probes):
        raise HarnessError(
            f"{suite.span or suite.name}: the record has none of the probes of the suite '{suite.name}'\n  run the gate again"
        )
    suite = replace(suite, task=task, probes=tuple(probe for probe in suite.probes if probe.id in by_id))
    for probe in suite.probes:
        if request_key(request(suite, probe)) != by_id[probe.id].asked:
            raise HarnessError(
                f"{probe.span or suite.name}: the probe '{probe.id}' has another prompt than in the record\n"
                "  run the gate again"
            )
    return suite


def _other_probes(suite: Suite, rows: Sequence[ProbeRow]) -> Iterable[str]:
    """What the suite and the record do not have in common, for the user."""
    ours, recorded = {probe.id for probe in suite.probes}, {row.id for row in rows}
    if gone := len(recorded - ours):
        yield f"{suite.name}: {gone} of the {len(recorded)} recorded probes are not in the suite any more, and do not count"
    if new := len(ours - recorded):
        yield f"{suite.name}: {new} of the suite's {len(ours)} probes are not in the record, and were not asked"


def _in_order(selected: Iterable[Case], gates: Sequence[GateRow]) -> list[Case]:
    """The cases in the order of the record; new ones come last."""
    places = {row.slice: place for place, row in enumerate(gates)}
    return sorted(selected, key=lambda case: places.get(case.slice, len(places)))


def _selected(suite: Suite, gates: Sequence[GateRow]) -> Iterable[Case]:
    """The cases of a suite over the recorded probes; over the same sample where the record has one."""
    samples = {row.slice: {(suite.name, id) for id in row.probes} for row in gates if row.probes is not None}
    asked = {(suite.name, probe.id) for probe in suite.probes}
    for case in cases(suite):
        if found := narrowed(case, samples.get(case.slice, asked)):
            yield replace(found, sampled=case.slice in samples)
    for row in gates:
        if not row.n and row.over == "category":  # its suite stopped before it asked any
            yield Case(suite, _gate(row), row.slice, (), row.severity, None)
