"""A record in, the same answers scored and decided again out, without a model.

By default everything is as the record has it: its scores, right answers and gates. Given suites say these anew, as after a
wrong key was corrected; what a model is shown must be the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pydantic import ValidationError

from harness.engine.answers import request_key
from harness.engine.prompts import request
from harness.engine.requests import Side
from harness.errors import HarnessError, NoEvidenceError, ScorerError, did_you_mean
from harness.evaluation.ask import judged
from harness.evaluation.permission import code_problem
from harness.evaluation.record import exit_code, rows
from harness.evaluation.sample import narrowed
from harness.evaluation.session import PairSession
from harness.gate.cases import Case, cases
from harness.gate.verdict import Decision, Policy
from harness.reporting.record import GateRow, ProbeRow, Record
from harness.scoring import load_scorers
from harness.suites.arguments import arguments_of
from harness.suites.scorer import Scorer
from harness.suites.suite import EachGate, Gate, MarginGate, Probe, Suite, Task


def rescored(
    record: Record, suites: Sequence[Suite] = (), policy: Policy | None = None, *, allow_code: bool = False
) -> Record:
    """The record with all answers judged and all gates decided again.

    Args:
        suites: take the place of what the record says of the suites of these names.
        policy: None for the record's own.

    Raises:
        NoEvidenceError: the record keeps no whole answers, or nothing was decided in it.
        HarnessError: a suite asks a probe otherwise than the record says it was asked.
        ScorerError: a score is not known, or runs code and may not.
    """
    if not record.gates:
        raise NoEvidenceError("the record has no gates, so there is nothing to decide again")
    given = {suite.name: suite for suite in suites}
    if strange := [name for name in given if name not in {row.suite for row in record.probes}]:
        raise HarnessError(f"the suite '{strange[0]}' is not in the record")
    session = PairSession(policy or Policy(record.run.strict, record.run.fail_on), allow_code=allow_code)
    decided: list[Decision] = []
    for name in dict.fromkeys(row.suite for row in record.gates):
        probes = [row for row in record.probes if row.suite == name]
        gates = [row for row in record.gates if row.suite == name]
        if name in given:
            suite = _asked_alike(given[name], probes, record)
            wanted = list(_selected(suite, gates))
        else:
            suite, wanted = _as_recorded(name, gates, probes)
        _answer(session, suite, probes, allow_code)
        decided += [session.decide(case) for case in wanted]
    return _like(record, *rows(decided), session.policy)


def _like(record: Record, gates: Iterable[GateRow], probes: Iterable[ProbeRow], policy: Policy) -> Record:
    """The record with new rows, which take over what a record alone knows: places, samples, requests, what was excused."""
    before = {(row.suite, row.slice): row for row in record.gates}
    asked = {(row.suite, row.id): row.asked for row in record.probes}
    settled = []
    for row in gates:
        old = before.get((row.suite, row.slice))
        if old is not None:
            outcome = "excused" if (row.outcome, old.outcome) == ("failed", "excused") else row.outcome
            kept = {"place": row.place or old.place, "probes": old.probes, "outcome": outcome}
            row = row.model_copy(update=kept)
        settled.append(row)
    run = {"strict": policy.strict, "fail_on": policy.fail_on, "exit_status": exit_code(settled)}
    return record.model_copy(update={
        "run": record.run.model_copy(update=run),
        "gates": settled,
        "probes": [row.model_copy(update={"asked": asked[row.suite, row.id]}) for row in probes],
    })  # fmt: skip


def _answer(session: PairSession, suite: Suite, rows: Iterable[ProbeRow], allow_code: bool) -> None:
    """Judge the answers of a record as those of both models."""
    if problem := code_problem(suite, suite.probes, allow_code):
        raise ScorerError(problem.text)
    session.need_probes(suite, suite.probes)
    by_id = {row.id: row for row in rows}
    before = [probe for probe in suite.probes if by_id[probe.id].baseline is not None]
    baseline = {probe.id: row.raw() for probe in before if (row := by_id[probe.id].baseline)}
    tuned = {probe.id: by_id[probe.id].tuned.raw() for probe in suite.probes}
    sides: Sequence[tuple[Side, Sequence[Probe]]] = (("baseline", before), ("tuned", suite.probes))
    for side, probes in sides:
        answers = baseline if side == "baseline" else tuned
        reference = None if side == "baseline" else baseline
        scored = judged(suite, probes, answers, baseline=reference, allow_code=allow_code)
        session.know(side, {suite.name: scored})


# As the record says


def _as_recorded(name: str, gates: Sequence[GateRow], rows: Sequence[ProbeRow]) -> tuple[Suite, list[Case]]:
    probes = {row.id: _probe(row) for row in rows}
    task = Task(prompt="", answer=next(iter(probes.values())).scorer.judges)  # nothing is asked
    suite = Suite(name, tuple({_gate(row): None for row in gates}), tuple(probes.values()), task=task)
    return suite, [
        Case(suite, _gate(row), row.slice, tuple(_members(row, probes)), row.severity, None) for row in gates
    ]


def _gate(row: GateRow) -> Gate:
    if row.over == "each":
        return EachGate(row.require or "retained")
    if row.max_drop is None or row.on_inconclusive is None:
        raise NoEvidenceError(
            "a record of an older version does not say all of its gates\n  run the gate again"
        )
    return MarginGate(row.over, row.max_drop, row.on_inconclusive)


def _members(row: GateRow, probes: Mapping[str, Probe]) -> Iterable[Probe]:
    if row.probes is not None:
        return [probes[id] for id in row.probes]
    inner = row.slice.partition("[")[2].removesuffix("]")
    if row.over == "each":
        return [probes[inner]]
    return [probe for probe in probes.values() if row.over == "all" or probe.category == inner]


def _probe(row: ProbeRow) -> Probe:
    scorer = _scorer(row)
    text = row.fields.get("text") if scorer.judges == "likelihood" else None
    return Probe(
        id=row.id,
        scorer=scorer,
        fields={} if text is not None else row.fields,
        answers=tuple(row.expected),
        category=row.category,
        severity=row.severity,
        choices=tuple(row.choices),
        text=text,
    )


def _scorer(row: ProbeRow) -> Scorer:
    known = load_scorers()
    if row.score not in known:
        near = did_you_mean(row.score, known)
        raise ScorerError(
            f"unknown score '{row.score}' of the probe '{row.id}'\n"
            f"  {near or 'scores that a conftest.py registers are known once it is imported'}"
        )
    kind = known[row.score]
    try:
        return kind.model_validate(kind.parameters(row.scoring))
    except ValidationError as error:
        raise ScorerError(
            f"the score '{row.score}' of the probe '{row.id}' takes no such parameters"
        ) from error


# As a suite says


def _asked_alike(suite: Suite, rows: Sequence[ProbeRow], record: Record) -> Suite:
    """The suite with those of its probes that the record has; raises HarnessError where it asks one otherwise."""
    given = record.run.template.get(suite.name, {}), record.run.thinking_tokens.get(suite.name)
    task = replace(suite.task, template=arguments_of(given[0]), thinking_tokens=given[1])
    by_id = {row.id: row for row in rows}
    suite = replace(suite, task=task, probes=tuple(probe for probe in suite.probes if probe.id in by_id))
    for probe in suite.probes:
        if request_key(request(suite, probe)) != by_id[probe.id].asked:
            raise HarnessError(
                f"{probe.span or suite.name}: the probe '{probe.id}' is asked otherwise than the models were in the record\n"
                "  run the gate again"
            )
    return suite


def _selected(suite: Suite, gates: Sequence[GateRow]) -> Iterable[Case]:
    """The cases of a suite over the probes of the record; of a slice that was sampled there, the sample."""
    samples = {row.slice: {(suite.name, id) for id in row.probes} for row in gates if row.probes is not None}
    asked = {(suite.name, probe.id) for probe in suite.probes}
    for case in cases(suite):
        if found := narrowed(case, samples.get(case.slice, asked)):
            yield found
