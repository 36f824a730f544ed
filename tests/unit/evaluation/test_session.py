"""What a session asks of two models, and what it decides by their answers."""

from __future__ import annotations

import pytest

from harness.errors import EngineError, NoEvidenceError
from harness.evaluation.session import PairSession
from harness.gate.cases import cases, overall_case
from harness.gate.policy import Policy
from harness.suites.suite import EachGate, MarginGate
from tests.support.asked import Knows, both, decide_all, questions, suite_of

ALL = MarginGate(over="all", max_drop=0.10)


def test_each_model_is_asked_each_probe_once():
    engines = both(Knows(questions(40)), Knows(questions(38)))
    session = PairSession()
    suites = [suite_of(40, ALL, MarginGate(over="all", max_drop=0.3)), suite_of(5, EachGate(), name="t")]
    decisions = decide_all(session, suites, engines, overall=0.03)
    assert len(decisions) == 2 + 5 + 1
    for engine in engines.values():
        assert engine.calls == [questions(40), questions(5)]
    for suite in suites:
        session.ask_both(suite.name, engines.__getitem__)
    assert [len(engine.calls) for engine in engines.values()] == [2, 2]


def test_the_baseline_is_spared_what_judges_the_tuned_model_alone():
    engines = both(Knows([]), Knows(questions(3)))
    decisions = decide_all(PairSession(), [suite_of(3, EachGate(require="pass"))], engines)
    assert [decision.outcome for decision in decisions] == ["passed"] * 3
    assert engines["baseline"].calls == []


# What a part of a suite does not show


def part_of(suite, ids):
    (case,) = cases(suite)
    probes = tuple(probe for probe in suite.probes if probe.id in ids)
    return [type(case)(suite, case.gate, case.slice, probes, case.severity, case.span)]


REST = ["q2", "q3", "q4", "q5", "q6", "q7"]


@pytest.mark.parametrize(
    ("known", "baseline_calls", "expected"),
    [
        (["q0"], [["q0", "q1"]], ("INCONCLUSIVE", "skipped")),  # the part shows enough
        (["q7"], [["q0", "q1"], REST], ("VACUOUS", "skipped")),
        ([], [["q0", "q1"], REST], ("VACUOUS", "failed")),
    ],
)
def test_a_baseline_that_knows_nothing_of_a_part_is_asked_the_rest(known, baseline_calls, expected):
    """Two probes decide nothing by themselves, but a suite of which the baseline knows nothing is no evidence."""
    suite = suite_of(8, ALL)
    selected = part_of(suite, {"p0", "p1"})
    engines = both(Knows(known), Knows(known))
    session = PairSession()
    session.need(selected)
    session.ask_both("s", engines.__getitem__)
    assert engines["baseline"].calls == baseline_calls
    assert engines["tuned"].calls == [["q0", "q1"]]
    (decision,) = session.decide(selected)
    assert [pair.probe.id for pair in decision.pairs] == ["p0", "p1"]
    assert (decision.verdict, decision.outcome) == expected
    unknown = None if known else "the baseline is right on none of the 8 probes asked"
    assert session.suites["s"].nothing_known == unknown
    assert session.nothing_known == ({"s": unknown} if len(baseline_calls) > 1 else {})


@pytest.mark.parametrize(
    ("known", "asked", "said"),
    [
        ([], [2, 50], "the baseline is right on none of the 52 probes asked"),
        (["q2"], [2, 50], None),  # the first of them shows enough
        (["q3"], [2, 50, 148], None),
    ],
)
def test_a_long_suite_of_which_the_baseline_knows_nothing_is_not_asked_whole(monkeypatch, known, asked, said):
    monkeypatch.setattr("harness.evaluation.suite_run.TELLING", 50 if not known else 53)
    suite = suite_of(200, ALL)
    selected = part_of(suite, {"p0", "p1"})
    engines = both(Knows(known), Knows(known))
    session = PairSession()
    session.need(selected)
    session.ask_both("s", engines.__getitem__)
    assert list(map(len, engines["baseline"].calls)) == asked
    assert engines["baseline"].calls[1][:3] == ["q2", "q6", "q10"], "from all over the suite"
    assert session.suites["s"].nothing_known == said


# What single probes lost


ALSO = {0: ("other 0", "another 0"), 1: ("other 1",)}


@pytest.mark.parametrize(
    ("known", "alone", "verdict", "lost_again"),
    [
        ([], None, "FORGOTTEN", [True, True, True]),
        ([], ["q0"], "FORGOTTEN", [False, True, True]),
        ([], ["q0", "other 0"], "RETAINED", [False, False, True]),
        ([], ["q0", "other 0", "another 0"], "RETAINED", [False] * 3),
    ],
)
def test_a_lost_probe_is_asked_again_of_both_models(known, alone, verdict, lost_again):
    suite = suite_of(1, EachGate(), also=ALSO)
    knowing = ["q0", "other 0", "another 0"]
    engines = both(Knows(knowing), Knows(known, alone))
    (decision,) = decide_all(PairSession(), [suite], engines)
    for engine in engines.values():
        assert engine.calls == [["q0"], ["q0", "other 0", "another 0"]]
        assert engine.budget.tokens == 1000
    assert decision.verdict == verdict
    assert [pair.change == "lost" for pair in decision.again] == lost_again
    assert [pair.probe.id for pair in decision.again] == ["p0 (2)", "p0 (3)", "p0 (4)"]


def test_all_that_a_suite_lost_is_asked_again_together_and_once():
    suite = suite_of(4, EachGate(), ALL, also=ALSO)
    engines = both(Knows(["q0", "q1", "q2", "q3", "other 0", "another 0", "other 1"]), Knows(["q3"]))
    session = PairSession()
    decisions = decide_all(session, [suite], engines)
    again = ["q0", "other 0", "another 0", "q1", "other 1", "q2"]
    for engine in engines.values():
        assert engine.calls == [questions(4), again]
    session.ask_both("s", engines.__getitem__)
    assert len(engines["tuned"].calls) == 2
    assert [(decision.verdict, decision.outcome) for decision in decisions[:4]] == [
        ("FORGOTTEN", "failed"), ("FORGOTTEN", "failed"), ("FORGOTTEN", "failed"), ("RETAINED", "passed"),
    ]  # fmt: skip
    assert [len(decision.again) for decision in decisions] == [3, 2, 1, 0, 0]


@pytest.mark.parametrize("gates", [(ALL,), (EachGate(require="pass"),), (ALL, EachGate(require="pass"))])
def test_nothing_is_asked_again_without_a_gate_that_needs_it(gates):
    engines = both(Knows(questions(3)), Knows([]))
    decide_all(PairSession(), [suite_of(3, *gates, also=ALSO)], engines)
    assert engines["tuned"].calls == [questions(3)]


def test_what_the_models_lose_by_chance_alone_fails_no_probe():
    """Answers that differ between batches, and not between models read one by one."""
    engines = both(Knows(questions(3)), Knows([], alone=questions(3)))
    decisions = decide_all(PairSession(), [suite_of(3, EachGate())], engines)
    assert [decision.outcome for decision in decisions] == ["passed"] * 3
    assert {decision.why for decision in decisions} == {"lost in 1 of 2 attempts"}


def test_a_baseline_that_is_asked_ahead_need_not_be_there_when_probes_are_lost():
    suite = suite_of(4, EachGate(), ALL, also=ALSO)
    selected = list(cases(suite))
    baseline = Knows(["q0", "q1", "q2", "other 0", "another 0", "other 1"])
    first = PairSession()
    first.need(selected)
    first.ask("baseline", baseline)
    first.ask_ahead(baseline)
    assert baseline.calls == [questions(4), ["q0", "other 0", "another 0", "q1", "other 1", "q2"]]
    tuned = Knows(["q1"], alone=["q0", "other 0", "q1", "other 1"])
    for _ in range(2):
        later = PairSession()
        later.need(selected)
        later.know("baseline", {"s": first.suites["s"].answered("baseline")})
        later.ask("tuned", tuned)
        decisions = later.decide(selected)
        assert [decision.verdict for decision in decisions[:4]] == [
            "RETAINED",
            "RETAINED",
            "FORGOTTEN",
            "VACUOUS",
        ]
        assert [len(decision.again) for decision in decisions] == [3, 0, 1, 0, 0]
        assert decisions[0].why == "lost in 2 of 4 attempts"
    assert tuned.calls == 2 * [questions(4), ["q0", "other 0", "another 0", "q2"]]
    assert len(baseline.calls) == 2


def test_without_attempts_of_the_baseline_the_tuned_model_is_not_asked_again():
    suite, tuned = suite_of(2, EachGate()), Knows([])
    session = PairSession()
    session.need(cases(suite))
    session.ask("baseline", Knows(questions(2)))
    session.ask("tuned", tuned)
    assert tuned.calls == [questions(2)]
    assert [decision.verdict for decision in session.decide(list(cases(suite)))] == ["FORGOTTEN"] * 2


# Deciding


def test_all_cases_are_decided_together():
    engines = both(Knows(questions(60)), Knows(questions(55)))
    suites = [
        suite_of(60, MarginGate(over="all", max_drop=0.05), name="much"),
        suite_of(30, ALL, name="none"),
    ]
    decisions = decide_all(PairSession(), suites, engines, overall=0.03)
    assert [decision.outcome for decision in decisions] == ["failed", "passed", "warned"]
    assert [decision.tests for decision in decisions] == [2, 2, 0]
    assert [name for name, _ in decisions[-1].parts] == ["much", "none"]
    assert decisions[-1].comparison.n == 90


def test_the_overall_case_may_come_first():
    engines = both(Knows(questions(60)), Knows(questions(60)))
    session = PairSession(Policy())
    decide_all(session, [suite_of(60, ALL, name=name) for name in "ab"], engines, overall=0.03)
    selected = [case for run in session.suites.values() for case in cases(run.suite)]
    first, *_ = session.decide([overall_case(0.03), *selected])
    assert (first.verdict, first.comparison.n) == ("RETAINED", 120)


def test_a_case_that_was_not_asked_is_no_evidence():
    suite = suite_of(3, ALL)
    session = PairSession()
    session.need(cases(suite))
    with pytest.raises(NoEvidenceError, match="the baseline model has no score for 3 of 3 probes"):
        session.decide(list(cases(suite)))


def test_a_model_that_fails_names_the_suite():
    class Broken(Knows):
        def ask(self, requests, progress=None):
            raise EngineError("no power")

    session = PairSession()
    suite = suite_of(3, ALL)
    session.need(cases(suite))
    with pytest.raises(EngineError, match="^the suite 's' cannot be asked\n  no power$"):
        session.ask_both("s", both(Broken([]), Knows([])).__getitem__)
