"""Accepted losses count as kept in the gates over them, and in no other; a fault of the evidence stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.gate.cases import overall_case
from harness.gate.compare import Pair
from harness.gate.decide import Decision, decide
from harness.gate.finding import Finding, find
from harness.gate.overall import find_overall
from harness.gate.policy import Policy
from harness.suites.suite import EachGate, MarginGate
from tests.support.findings import case, pairs

MARGIN = MarginGate(over="all", max_drop=0.1, max_loss=1.0, on_inconclusive="confirmed")
RED = {"kept": 30, "lost": 10}


def accepting(number: int, **counts: int) -> list[Pair]:
    """Pairs of which the first lost ones are accepted."""
    asked = pairs(**counts)
    accepted = [pair.probe.id for pair in asked if pair.change == "lost"][:number]
    return [replace(pair, accepted=pair.probe.id in accepted) for pair in asked]


def slice_of(suite: str, number: int = 0, nothing_known: str | None = None, **counts: int) -> Finding:
    return find(case(MARGIN, suite=suite), accepting(number, **counts), nothing_known)


def ends(findings: list[Finding], policy: Policy = Policy()) -> list[tuple[str, str | None]]:
    return [(decision.outcome, decision.without_accepted) for decision in decide(findings, policy)]


def test_it_counts_as_kept_and_all_numbers_stay():
    honest, [decision] = slice_of("a", **RED), decide([slice_of("a", 10, **RED)], Policy())
    assert (decision.outcome, decision.without_accepted, decision.accepted) == ("passed", "failed", 10)
    assert (decision.comparison, decision.verdict, decision.p) == (
        honest.comparison,
        honest.verdict,
        honest.p,
    )


@pytest.mark.parametrize(
    ("number", "end"), [(2, ("failed", None)), (6, ("warned", "failed")), (10, ("passed", "failed"))]
)
def test_some_of_them(number, end):
    assert ends([slice_of("a", number, **RED)]) == [end]


def test_strict_runs_ask_for_proof_all_the_same():
    assert ends([slice_of("a", 6, **RED)], Policy(strict=True)) == [("failed", None)]
    assert ends([slice_of("a", 10, kept=60, lost=10)], Policy(strict=True)) == [("passed", "failed")]


def test_a_baseline_that_knows_nothing_stays_red():
    assert ends([slice_of("a", 10, "the baseline guesses", **RED)]) == [("failed", None)]


def test_a_vacuous_slice_stays_red():
    assert ends([slice_of("a", 2, lost=2, missed=38)]) == [("failed", None)]


@given(
    own=st.tuples(st.integers(0, 40), st.integers(0, 20)),
    others=st.lists(st.tuples(st.integers(10, 40), st.integers(0, 20)), min_size=1, max_size=6),
    number=st.integers(1, 20),
)
def test_no_other_gate_is_decided_otherwise(own, others, number):
    beside = [slice_of(f"s{place}", kept=kept, lost=lost) for place, (kept, lost) in enumerate(others)]
    counts = {"kept": own[0], "lost": own[1] + 1}
    with_it, without = (
        decide([slice_of("own", accepted, **counts), *beside], Policy()) for accepted in (number, 0)
    )
    assert with_it[1:] == without[1:]
    rank = ("failed", "warned", "skipped", "passed").index
    assert rank(with_it[0].outcome) >= rank(without[0].outcome)


def test_the_overall_gate_pools_them_as_kept():
    findings = [slice_of("a", 40, kept=200, lost=40), slice_of("b", kept=240)]
    overall = find_overall(overall_case(0.03), findings)
    assert overall.accepted == 40
    assert overall.comparison
    assert overall.comparison.lost == 40
    decision: Decision = decide([*findings, overall], Policy())[-1]
    assert (decision.outcome, decision.without_accepted) == ("passed", "failed")


def each(id: str, accepted: bool) -> Finding:
    [pair] = accepting(int(accepted), lost=1)
    return find(
        replace(case(EachGate()), slice=f"probe[{id}]"), [pair], again=[replace(pair, accepted=False)]
    )


def test_single_probes_one_by_one():
    assert ends([each("a", True), each("b", False)]) == [("passed", "failed"), ("failed", None)]
    kept = find(case(EachGate()), accepting(0, kept=1))
    assert ends([each("a", True), kept]) == [("passed", "warned"), ("passed", None)]
    assert ends([each("a", True)]) == [("passed", "failed")]
