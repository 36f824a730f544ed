"""Verdicts at their boundaries, and what a run makes of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.engine.requests import Generated
from harness.errors import NoEvidenceError
from harness.gate.cases import Case, cases
from harness.gate.compare import Comparison, Pair, comparison
from harness.gate.verdict import Decision, Policy, decide, judge
from harness.scoring import SCORERS, Score
from harness.stats.paired import least_to_retain, probes_to_settle
from harness.suites.severity import SEVERITIES
from harness.suites.suite import EachGate, Gate, MarginGate, Probe, Suite

PROBE = Probe("p", SCORERS["mentions"](), severity="high")
CHANGES = {"kept": (True, True), "lost": (True, False), "gained": (False, True), "missed": (False, False)}


def case(gate: Gate, severity: str = "high") -> Case:
    probe = Probe("p", SCORERS["mentions"](), severity=severity)
    return next(cases(Suite("s", (gate,), (probe,), severity=severity)))


def pairs(**counts: int) -> list[Pair]:
    return [
        Pair(PROBE, Score(CHANGES[change][0], ""), Score(CHANGES[change][1], ""))
        for change, count in counts.items()
        for _ in range(count)
    ]


def with_interval(low: float, high: float, right: int = 100) -> Comparison:
    return Comparison(right, 0, 0, 100 - right, (low, high), 0.5)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.10, 0.05, "RETAINED"),
        (-0.10, 0.10, "RETAINED"),  # at the margin
        (-0.10, 0.1 + 1e-12, "RETAINED"),  # 0.1 has no exact binary form
        (-0.10, 0.101, "INCONCLUSIVE"),
        (0.099, 0.30, "INCONCLUSIVE"),
        (0.10, 0.30, "INCONCLUSIVE"),  # at the margin is not above it
        (0.101, 0.30, "FORGOTTEN"),
        (0.50, 0.90, "FORGOTTEN"),
    ],
)
def test_the_interval_against_the_margin(low, high, verdict):
    assert judge(with_interval(low, high), 0.10) == verdict


@pytest.mark.parametrize(
    ("right", "margin", "verdict"),
    [
        (0, 0.0, "VACUOUS"),
        (0, 0.1, "VACUOUS"),
        (10, 0.1, "VACUOUS"),
        (11, 0.1, "RETAINED"),
        (100, 1.0, "VACUOUS"),
    ],
)
def test_a_baseline_with_no_more_than_the_margin_to_lose(right, margin, verdict):
    assert judge(with_interval(-0.05, 0.0, right), margin) == verdict


@pytest.mark.parametrize(
    ("counts", "margin", "verdict"),
    [
        ({"kept": 240}, 0.10, "RETAINED"),
        ({"kept": 5}, 0.10, "INCONCLUSIVE"),  # five questions cannot pass a model
        ({"kept": 20}, 0.10, "INCONCLUSIVE"),
        ({"kept": 25}, 0.10, "RETAINED"),
        ({"kept": 9, "lost": 11, "gained": 1, "missed": 9}, 0.10, "FORGOTTEN"),
        ({"kept": 100, "lost": 100}, 0.10, "FORGOTTEN"),
        ({"kept": 10, "lost": 3, "missed": 17}, 0.10, "INCONCLUSIVE"),
        ({"missed": 30}, 0.10, "VACUOUS"),
        ({"gained": 30}, 0.10, "VACUOUS"),
        ({"kept": 3, "missed": 27}, 0.10, "VACUOUS"),
    ],
)
def test_verdicts_on_counts(counts, margin, verdict):
    found = comparison(**{"kept": 0, "lost": 0, "gained": 0, "missed": 0, **counts})
    assert judge(found, margin) == verdict


@settings(max_examples=150, deadline=None)
@given(st.tuples(*[st.integers(0, 60)] * 4).filter(any), st.floats(0, 1))
def test_one_more_loss_never_makes_a_verdict_better(counts, margin):
    order = ["RETAINED", "INCONCLUSIVE", "FORGOTTEN"]
    kept, lost, gained, missed = counts
    if kept:
        before = judge(comparison(kept, lost, gained, missed), margin)
        after = judge(comparison(kept - 1, lost + 1, gained, missed), margin)
        assert (before == "VACUOUS") == (after == "VACUOUS")
        if before != "VACUOUS":
            assert order.index(after) >= order.index(before)


def outcome(found: Decision) -> tuple[str | None, str]:
    return found.verdict, found.outcome


SMALL_DROP, LARGE_DROP = {"kept": 38, "lost": 2}, {"kept": 34, "lost": 6}


@pytest.mark.parametrize(
    ("counts", "rule", "strict", "expected"),
    [
        (SMALL_DROP, "observed", False, "warned"),
        (LARGE_DROP, "observed", False, "failed"),
        ({"kept": 36, "lost": 4}, "observed", False, "warned"),  # the drop is the margin
        (SMALL_DROP, "pass", False, "warned"),
        (LARGE_DROP, "pass", False, "warned"),
        (SMALL_DROP, "fail", False, "failed"),
        (SMALL_DROP, "observed", True, "failed"),
        (SMALL_DROP, "pass", True, "failed"),
    ],
)
def test_the_inconclusive(counts, rule, strict, expected):
    gate = MarginGate("all", 0.10, on_inconclusive=rule)
    found = decide(case(gate), pairs(**counts), Policy(strict=strict))
    assert outcome(found) == ("INCONCLUSIVE", expected)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"kept": 240}, ("RETAINED", "passed")),
        ({"kept": 20, "lost": 20}, ("FORGOTTEN", "failed")),
        ({"missed": 30}, ("VACUOUS", "failed")),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("rule", ["observed", "fail", "pass"])
def test_the_conclusive_follow_no_rule(counts, expected, strict, rule):
    gate = MarginGate("all", 0.10, on_inconclusive=rule)
    assert outcome(decide(case(gate), pairs(**counts), Policy(strict=strict))) == expected


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("fail_on", SEVERITIES)
@pytest.mark.parametrize(
    ("gate", "counts"),
    [
        (MarginGate("all", 0.10), {"lost": 20}),
        (MarginGate("all", 0.10), {"missed": 30}),
        (MarginGate("all", 0.10, on_inconclusive="fail"), SMALL_DROP),
        (EachGate(), {"lost": 1}),
        (EachGate(require="pass"), {"missed": 1}),
    ],
    ids=["forgotten", "vacuous", "inconclusive", "lost", "not passed"],
)
def test_fail_on_turns_lesser_failures_into_warnings(gate, counts, severity, fail_on):
    fails = SEVERITIES.index(severity) <= SEVERITIES.index(fail_on)
    found = decide(case(gate, severity), pairs(**counts), Policy(fail_on=fail_on))
    assert found.outcome == ("failed" if fails else "warned")


@pytest.mark.parametrize(
    ("change", "unknown", "expected"),
    [
        ("kept", None, ("RETAINED", "passed")),
        ("gained", None, ("RETAINED", "passed")),
        ("lost", None, ("FORGOTTEN", "failed")),
        ("missed", None, ("VACUOUS", "skipped")),
        ("missed", "the baseline is right on none", ("VACUOUS", "failed")),
        ("gained", "the baseline is right on none", ("VACUOUS", "failed")),
    ],
)
def test_each_probe_is_to_be_retained(change, unknown, expected):
    found = decide(case(EachGate()), pairs(**{change: 1}), Policy(), unknown)
    assert outcome(found) == expected
    assert found.comparison is not None
    assert found.settling is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [("kept", "passed"), ("gained", "passed"), ("lost", "failed"), ("missed", "failed")],
)
@pytest.mark.parametrize("with_baseline", [True, False])
def test_each_probe_is_to_pass(change, expected, with_baseline):
    (asked,) = pairs(**{change: 1})
    if not with_baseline:
        asked = Pair(asked.probe, None, asked.tuned)
    found = decide(case(EachGate(require="pass")), [asked], Policy())
    assert outcome(found) == (None, expected)
    assert found.comparison is None


def test_an_inconclusive_verdict_says_how_many_more_probes_would_settle_it():
    found = decide(case(MarginGate("all", 0.10)), pairs(kept=20), Policy())
    assert found.settling == 5
    assert probes_to_settle(0, 0, 20, 0.10) == 25


def test_none_would_where_the_drop_is_the_margin():
    found = decide(case(MarginGate("all", 0.10)), pairs(kept=36, lost=4), Policy())
    assert (found.verdict, found.settling) == ("INCONCLUSIVE", None)


@pytest.mark.parametrize(
    ("n", "margin", "outcome_of_rule"),
    [
        (24, 0.10, {"observed": "skipped", "pass": "skipped", "fail": "failed"}),
        (25, 0.10, {"observed": "passed", "pass": "passed", "fail": "passed"}),
        (10, 0.20, {"observed": "skipped", "pass": "skipped", "fail": "failed"}),
        (11, 0.20, {"observed": "passed", "pass": "passed", "fail": "passed"}),
        (500, 0.0, {"observed": "skipped", "pass": "skipped", "fail": "failed"}),
    ],
)
@pytest.mark.parametrize("rule", ["observed", "pass", "fail"])
def test_a_slice_too_small_to_be_retained_whatever_its_answers_decides_nothing(
    n, margin, outcome_of_rule, rule
):
    gate = MarginGate("all", margin, on_inconclusive=rule)
    found = decide(case(gate), pairs(kept=n), Policy())
    assert found.outcome == outcome_of_rule[rule]
    assert bool(found.why) == (found.outcome == "skipped")
    strict = decide(case(gate), pairs(kept=n), Policy(strict=True))
    assert strict.outcome == ("passed" if found.outcome == "passed" else "failed")


@pytest.mark.parametrize("margin", [0.01, 0.05, 0.10, 0.15, 0.20, 0.5, 1.0])
def test_the_fewest_probes_to_be_retained_are_those_of_the_interval(margin):
    needed = least_to_retain(margin)
    assert judge(comparison(needed, 0, 0, 0), margin) in ("RETAINED", "VACUOUS")
    if needed > 1:
        assert judge(comparison(needed - 1, 0, 0, 0), margin) in ("INCONCLUSIVE", "VACUOUS")


def test_a_small_slice_that_is_forgotten_fails_all_the_same():
    assert outcome(decide(case(MarginGate("all", 0.10)), pairs(kept=1, lost=9), Policy())) == (
        "FORGOTTEN",
        "failed",
    )


@pytest.mark.parametrize("counts", [{"missed": 24}, {"kept": 2, "missed": 22}, {"kept": 12, "gained": 12}])
def test_a_small_slice_proves_nothing_whatever_else_it_is(counts):
    """Neither that there is nothing to lose, nor, by its gains, that nothing was lost."""
    found = decide(case(MarginGate("all", 0.10)), pairs(**counts), Policy())
    assert (found.outcome, found.settling) == ("skipped", 1)


def cut_pairs(n: int, cut_before: int, cut_after: int, lost: int = 0, score: str = "equals") -> list[Pair]:
    def answer(is_cut: bool, right: bool) -> Score:
        return Score(right, "", Generated("", 9, "limit" if is_cut else "turn"))

    probe = Probe("p", SCORERS[score]())
    return [Pair(probe, answer(i < cut_before, True), answer(i < cut_after, i >= lost)) for i in range(n)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (0, 0, ("RETAINED", "passed")),
        (100, 100, ("RETAINED", "passed")),  # both alike
        (0, 10, ("RETAINED", "passed")),  # at the margin
        (0, 11, ("INCONCLUSIVE", "failed")),
        (11, 0, ("INCONCLUSIVE", "failed")),
    ],
)
def test_a_slice_whose_answers_were_cut_unlike_cannot_be_decided(before, after, expected):
    found = decide(case(MarginGate("all", 0.10)), cut_pairs(100, before, after), Policy())
    assert outcome(found) == expected
    assert (found.cut.baseline, found.cut.tuned, found.cut.n) == (before, after, 100)
    assert found.cut.worth_a_warning == (max(before, after) > 5)


@pytest.mark.parametrize(
    ("only_before", "only_after", "undecided"),
    [(4, 0, False), (7, 0, True), (0, 7, True), (5, 1, False), (9, 1, True)],
)
def test_a_chance_difference_in_what_was_cut_decides_nothing_away(only_before, only_after, undecided):
    """Of 26 answers, 4 to 1 may be chance; 15 points are over the margin."""

    def answer(is_cut: bool) -> Score:
        return Score(True, "", Generated("", 9, "limit" if is_cut else "turn"))

    probe = Probe("p", SCORERS["equals"]())
    changes = [(True, False)] * only_before + [(False, True)] * only_after
    changes += [(True, True)] * (26 - len(changes))
    found = decide(
        case(MarginGate("all", 0.10)), [Pair(probe, answer(a), answer(b)) for a, b in changes], Policy()
    )
    assert (found.verdict == "INCONCLUSIVE") is undecided


@pytest.mark.parametrize(
    ("before", "after", "lost", "expected"),
    [
        (0, 60, 60, "INCONCLUSIVE"),  # what was cut may have been right
        (60, 0, 60, "FORGOTTEN"),  # the baseline lost by it, and forgotten is what it is all the same
        (60, 0, 0, "INCONCLUSIVE"),  # the baseline may have known more, and lost it
        (0, 60, 0, "RETAINED"),  # the tuned model lost by it, and has retained all the same
    ],
)
def test_what_only_cost_the_other_side_right_answers_takes_no_verdict_back(before, after, lost, expected):
    """Under a score by which a right answer stays right however it goes on."""
    pairs = cut_pairs(100, before, after, lost, "mentions")
    assert decide(case(MarginGate("all", 0.10)), pairs, Policy()).verdict == expected
    pairs = cut_pairs(100, before, after, lost, "number")
    assert decide(case(MarginGate("all", 0.10)), pairs, Policy()).verdict == "INCONCLUSIVE"


@settings(max_examples=100, deadline=None)
@given(st.tuples(*[st.integers(0, 20)] * 4).filter(any), st.sampled_from([0.0, 0.05, 0.1, 0.2, 1.0]))
def test_any_counts_come_to_a_decision(counts, margin):
    found = decide(
        case(MarginGate("all", margin)), pairs(**dict(zip(CHANGES, counts, strict=True))), Policy()
    )
    assert found.outcome in ("passed", "failed", "warned", "skipped")
    assert (found.outcome == "skipped") == bool(found.why)
    assert found.settling is None or found.settling > 0
    assert found.settling is None or found.verdict == "INCONCLUSIVE" or found.outcome == "skipped"


@pytest.mark.parametrize("gate", [MarginGate("all", 0.1), EachGate(), EachGate(require="pass")])
def test_no_pairs_are_no_evidence(gate):
    with pytest.raises(NoEvidenceError, match=r"^no probe was asked for s · (all|p)$"):
        decide(case(gate), [], Policy())


@pytest.mark.parametrize("gate", [MarginGate("all", 0.1), EachGate()])
def test_no_baseline_is_no_evidence(gate):
    with pytest.raises(NoEvidenceError, match="the baseline was not asked"):
        decide(case(gate), [Pair(PROBE, None, Score(True, ""))], Policy())
