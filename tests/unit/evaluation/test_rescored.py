"""A record scored and decided again, without a model: the same record, or what another policy makes of it."""

from __future__ import annotations

import pytest

from harness.evaluation.record import rows
from harness.evaluation.rescore import rescored
from harness.evaluation.session import PairSession
from harness.gate.cases import cases, overall_case
from harness.gate.policy import Policy
from harness.reporting.exit_code import exit_code
from harness.reporting.rows import Record, RunRow
from harness.reporting.run_rows import run_status
from harness.reporting.standing_out import standing_out
from harness.suites.suite import EachGate, MarginGate, Suite
from tests.support.asked import Knows, both, decide_all, questions, suite_of

ALL = MarginGate(over="all", max_drop=0.10, max_loss=0.15)
LIST = suite_of(4, EachGate(), name="list", also={0: ("other 0", "another 0"), 1: ("other 1",)})
KNOWN = [*questions(120), "other 0", "another 0", "other 1"]


def record_of(session: PairSession, decisions, policy: Policy = Policy()) -> Record:
    gates, probes = rows(decisions)
    run = RunRow(
        harness="0", started="now", seconds=1.0, command=[], exit_status=exit_code(gates), errors=[], versions={},
        strict=policy.strict, fail_on=policy.fail_on, max_drop_overall=policy.max_drop_overall,
        nothing_known=session.nothing_known, observed=standing_out(probes),
        status=run_status(exit_code(gates), gate_failed=exit_code(gates) == 1),
    )  # fmt: skip
    return Record(run=run, gates=gates, probes=probes)


def recorded(*suites: Suite, tuned: Knows, policy: Policy = Policy()) -> Record:
    session = PairSession(policy)
    return record_of(session, decide_all(session, suites, both(Knows(KNOWN), tuned), overall=0.03), policy)


def outcomes(record: Record) -> list[tuple[str, str]]:
    return [(f"{row.suite} {row.slice}", row.outcome) for row in record.gates]


@pytest.mark.parametrize("strict", [False, True])
def test_it_is_the_same_record(strict):
    observed = MarginGate(over="all", max_drop=0.5, on_inconclusive="observed")
    suites = (suite_of(60, ALL), suite_of(50, observed, name="t"), LIST)
    record = recorded(*suites, tuned=Knows(questions(60)[2:52]), policy=Policy(strict=strict))
    assert any(row.again for row in record.probes)
    assert rescored(Record.model_validate_json(record.model_dump_json())) == record


def test_the_status_follows_what_is_decided_now():
    red = recorded(suite_of(60, ALL), tuned=Knows(questions(60)[30:]))
    assert red.run.status == "forgotten"
    wide = suite_of(60, MarginGate(over="all", max_drop=0.9, max_loss=1.0))
    green = rescored(red, [wide])
    assert (green.run.status, green.run.exit_status) == ("passed", 0)


@pytest.mark.parametrize("status", ["unfinished", "interrupted", "error"])
def test_a_run_that_was_not_whole_stays_so(status):
    record = recorded(suite_of(60, ALL), tuned=Knows(questions(60)))
    cut = record.model_copy(update={"run": record.run.model_copy(update={"status": status})})
    assert (rescored(cut).run.status, rescored(cut).run.exit_status) == (status, 1)


def test_attempts_count_again():
    """Lost at first, and known in the same words read alone and in one of two others."""
    tuned = Knows(questions(60)[1:], alone=["q0", "other 0"])
    record = recorded(LIST, tuned=tuned)
    by_slice = {row.slice: row for row in rescored(record).gates}
    row = by_slice["probe[p0]"]
    assert (row.verdict, row.lost, row.outcome) == ("RETAINED", 1, "passed")
    first = next(probe for probe in record.probes if probe.id == "p0")
    assert [attempt.tuned.right for attempt in first.again] == [True, True, False]
    assert [attempt.fields for attempt in first.again] == [
        {"question": "q0"}, {"question": "other 0"}, {"question": "another 0"},
    ]  # fmt: skip


def test_what_the_baseline_knows_of_the_whole_suite_is_remembered():
    suite = suite_of(40, ALL)
    (case,) = cases(suite)
    part = type(case)(suite, case.gate, case.slice, suite.probes[:25], case.severity, case.span)
    session = PairSession()
    session.need([part])
    session.ask_both("s", both(Knows([]), Knows([])).__getitem__)
    record = record_of(session, session.decide([part]))
    unknown = "the baseline is right on none of the 40 probes asked"
    assert record.run.nothing_known == {"s": unknown}
    (row,) = rescored(record).gates
    assert (row.verdict, row.outcome, row.undecided) == ("VACUOUS", "failed", unknown)
    assert len(row.probes) == 25


def test_another_policy():
    record = recorded(suite_of(120, ALL), LIST, tuned=Knows(questions(117)))
    assert outcomes(record)[0] == ("s all", "passed")
    assert outcomes(record)[-1] == ("overall all", "warned")
    strict = rescored(record, policy=Policy(strict=True))
    assert outcomes(strict)[-1] == ("overall all", "failed")
    assert strict.run.exit_status == 1
    wide = rescored(record, policy=Policy(max_drop_overall=0.2))
    assert wide.gates[-1].verdict == "RETAINED"
    none = rescored(record, policy=Policy(max_drop_overall=None))
    assert [name for name, _ in outcomes(none)] == [name for name, _ in outcomes(record)[:-1]]


def test_the_overall_gate_is_the_one_of_the_record():
    record = recorded(suite_of(60, ALL), LIST, tuned=Knows(questions(50)))
    again = rescored(record)
    assert again.gates[-1] == record.gates[-1]
    assert again.gates[-1].over == "overall"
    assert overall_case(0.03).slice == again.gates[-1].slice
