"""What a run makes of its findings: the slices together by Holm, the overall gate, single probes, and severities."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.gate.cases import overall_case
from harness.gate.decide import LEVEL, LEVEL_OVERALL, Decision, decide
from harness.gate.finding import Finding, find
from harness.gate.overall import find_overall
from harness.gate.policy import MAX_DROP_OVERALL, Policy
from harness.stats.multiple import holm
from harness.suites.severity import SEVERITIES, Severity
from harness.suites.suite import EachGate, MarginGate, OnInconclusive, RiseGate
from tests.support.findings import CHANGES, case, decided, found, pairs, texts

RULES: tuple[OnInconclusive, ...] = ("confirmed", "observed", "fail", "pass")
EACH = EachGate()
SMALL_DROP, LARGE_DROP, UNSURE_DROP = (
    {"kept": 38, "lost": 2},
    {"kept": 34, "lost": 6},  # p = 1 / 128
    {"kept": 17, "lost": 6, "gained": 3},  # over the margin, p = 0.17
)


def margin(rule: OnInconclusive = "confirmed", max_drop: float = 0.10, max_loss: float = 1.0) -> MarginGate:
    return MarginGate(over="all", max_drop=max_drop, max_loss=max_loss, on_inconclusive=rule)


def outcome(decision: Decision) -> tuple[str | None, str]:
    return decision.verdict, decision.outcome


def outcomes(findings: list[Finding], policy: Policy = Policy()) -> list[str]:
    return [decision.outcome for decision in decide(findings, policy)]


def quiet(number: int) -> list[Finding]:
    """So many other slices of which nothing was lost."""
    return [found(margin(), suite=f"quiet{i}", kept=40) for i in range(number)]


# One slice


@pytest.mark.parametrize(
    ("counts", "rule", "strict", "expected"),
    [
        (SMALL_DROP, "confirmed", False, "warned"),
        (LARGE_DROP, "confirmed", False, "failed"),
        (UNSURE_DROP, "confirmed", False, "warned"),
        ({"kept": 36, "lost": 4}, "confirmed", False, "warned"),  # the drop is the margin
        (SMALL_DROP, "observed", False, "warned"),
        (LARGE_DROP, "observed", False, "failed"),
        (UNSURE_DROP, "observed", False, "failed"),
        ({"kept": 36, "lost": 4}, "observed", False, "warned"),
        (SMALL_DROP, "pass", False, "warned"),
        (LARGE_DROP, "pass", False, "warned"),
        (SMALL_DROP, "fail", False, "failed"),
        *((counts, rule, True, "failed") for rule in RULES for counts in (SMALL_DROP, UNSURE_DROP)),
    ],
)
def test_the_inconclusive(counts, rule, strict, expected):
    decision = decided(case(margin(rule)), pairs(**counts), Policy(strict=strict))
    assert outcome(decision) == ("INCONCLUSIVE", expected)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"kept": 240}, ("RETAINED", "passed")),
        ({"kept": 20, "lost": 20}, ("FORGOTTEN", "failed")),
        ({"missed": 30}, ("VACUOUS", "failed")),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("rule", RULES)
def test_the_conclusive_follow_no_rule(counts, expected, strict, rule):
    assert outcome(decided(case(margin(rule)), pairs(**counts), Policy(strict=strict))) == expected


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("n", "max_drop", "expected"),
    [
        (24, 0.10, "skipped"),
        (25, 0.10, "passed"),
        (10, 0.20, "skipped"),
        (11, 0.20, "passed"),
        (500, 0.0, "skipped"),
    ],
)
def test_a_slice_too_small_to_be_retained_has_no_gate(n, max_drop, expected, strict, rule):
    decision = decided(case(margin(rule, max_drop)), pairs(kept=n), Policy(strict=strict))
    assert decision.outcome == expected
    assert bool(decision.why) == (expected == "skipped")


@pytest.mark.parametrize("strict", [False, True])
def test_nor_does_one_that_lost_nearly_all(strict):
    decision = decided(case(margin()), pairs(kept=1, lost=9), Policy(strict=strict))
    assert outcome(decision) == ("FORGOTTEN", "skipped")


@pytest.mark.parametrize(
    ("counts", "max_loss", "expected"),
    [
        ({"kept": 3, "lost": 9, "missed": 34}, 0.35, ("FORGOTTEN", "failed")),
        ({"kept": 3, "lost": 9, "missed": 34}, 1.0, ("INCONCLUSIVE", "warned")),
        ({"kept": 6, "lost": 4, "missed": 36}, 0.35, ("INCONCLUSIVE", "failed")),
        ({"kept": 6, "lost": 4, "missed": 36}, 1.0, ("RETAINED", "passed")),
    ],
)
def test_much_lost_of_little_known(counts, max_loss, expected):
    decision = decided(case(margin(max_drop=0.20, max_loss=max_loss)), pairs(**counts))
    assert outcome(decision) == expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([100, 100, 100], ("RETAINED", "passed")),
        ([103, 103.1, 102.9], ("FORGOTTEN", "failed")),
        ([102, 103, 105], ("INCONCLUSIVE", "failed")),  # 3.3 % on average, p = 0.03 of no rise at all
        ([101, 103, 105], ("INCONCLUSIVE", "warned")),  # 3 %, p = 0.06
        ([98, 102, 108], ("INCONCLUSIVE", "warned")),
    ],
)
def test_texts(after, expected):
    gate = RiseGate(over="all", max_rise=0.02)
    decision = decided(case(gate), texts((100, bits) for bits in after))
    assert outcome(decision) == expected
    assert decision.adjusted_p == decision.p


# The slices of a run together


def test_a_family_by_hand():
    """Holm: p x 3, p x 2 and p, none below the one before."""
    findings = [
        found(margin(), suite="c", kept=26, lost=4),  # p = 1 / 32
        found(margin(), suite="a", kept=24, lost=6),  # p = 1 / 128
        found(margin(), suite="b", kept=25, lost=5),  # p = 1 / 64
    ]
    decisions = decide(findings, Policy())
    assert [decision.p for decision in decisions] == pytest.approx([1 / 32, 1 / 128, 1 / 64])
    assert [decision.adjusted_p for decision in decisions] == pytest.approx([1 / 32, 3 / 128, 1 / 32])
    assert [decision.tests for decision in decisions] == [3, 3, 3]
    assert [decision.outcome for decision in decisions] == ["failed"] * 3


@pytest.mark.parametrize(
    ("others", "adjusted", "expected"),
    [
        (0, 1 / 128, "failed"),
        (5, 6 / 128, "failed"),  # 0.047
        (6, 7 / 128, "warned"),  # 0.055
        (200, 1.0, "warned"),
    ],
)
def test_one_loss_among_many_gates_may_be_an_accident(others, adjusted, expected):
    decisions = decide([found(margin(), **LARGE_DROP), *quiet(others)], Policy())
    assert decisions[0].adjusted_p == pytest.approx(adjusted)
    assert (decisions[0].outcome, decisions[0].tests) == (expected, others + 1)
    assert {decision.outcome for decision in decisions[1:]} <= {"passed", "warned"}


@pytest.mark.parametrize(("others", "expected"), [(24, "failed"), (25, "warned"), (60, "warned")])
def test_forgotten_without_confirmation_warns(others, expected):
    """One of 26 gates with p = 1 / 512."""
    forgotten = found(margin(), kept=22, lost=8)
    assert outcome(decide([forgotten, *quiet(others)], Policy())[0]) == ("FORGOTTEN", expected)


@pytest.mark.parametrize("others", [0, 200])
def test_retained_never_fails(others):
    findings = [found(margin(max_drop=0.5), kept=150, lost=50), *quiet(others)]
    assert outcome(decide(findings, Policy())[0]) == ("RETAINED", "passed")


@pytest.mark.parametrize(
    "apart",
    [
        found(margin(), suite="small", kept=4),
        found(margin("observed"), suite="observed", **SMALL_DROP),
        found(margin("fail"), suite="fail", kept=240),
        found(margin("pass"), suite="pass", **LARGE_DROP),
        found(margin(), suite="vacuous", missed=40),
        found(EACH, suite="list", lost=1),
        found(EACH, suite="list", kept=1),
        find_overall(overall_case(0.03), quiet(3)),
    ],
    ids=lambda finding: finding.case.suite.name,
)
def test_what_is_not_in_the_family(apart):
    decision, other = decide([found(margin(), **LARGE_DROP), apart], Policy())
    assert (decision.adjusted_p, decision.tests) == (pytest.approx(1 / 128), 1)
    assert (other.adjusted_p, other.tests) == (None, 0)


def test_texts_are_in_the_family():
    rise = find(case(RiseGate(over="all", max_rise=0.02), suite="t"), texts([(100, 103.0), (100, 103.1)]))
    slices = [found(margin(), **LARGE_DROP), rise]
    decisions = decide(slices, Policy())
    adjusted = holm([1 / 128, rise.p])
    assert [decision.adjusted_p for decision in decisions] == pytest.approx(list(adjusted))
    assert [decision.tests for decision in decisions] == [2, 2]


def test_a_strict_run_has_no_family():
    for decision in decide([found(margin(), **LARGE_DROP), *quiet(3)], Policy(strict=True)):
        assert (decision.adjusted_p, decision.tests) == (None, 0)


def test_no_findings():
    assert decide([], Policy()) == []


# Properties

STEPS = ("passed", "skipped", "warned", "failed")
GATES = st.builds(
    margin,
    st.sampled_from(RULES),
    st.sampled_from([0.0, 0.05, 0.1, 0.2]),
    st.sampled_from([0.15, 0.35, 1.0]),
)
COUNTS = st.tuples(*[st.integers(0, 40)] * 4).filter(any)
CLUSTERS = st.lists(st.sampled_from(["a", "b", "c", "d", None]), min_size=1, max_size=9)


@st.composite
def findings(draw: st.DrawFn, most: int = 6) -> list[Finding]:
    return [
        find(
            case(draw(GATES), suite=f"s{i}"),
            pairs(draw(CLUSTERS), **dict(zip(CHANGES, draw(COUNTS), strict=True))),
        )
        for i in range(draw(st.integers(1, most)))
    ]


@settings(max_examples=100, deadline=None)
@given(GATES, COUNTS, st.booleans())
def test_one_more_loss_never_makes_an_outcome_better(gate, counts, strict):
    """Of a slice by itself, whose baseline is the same."""
    kept, lost, gained, missed = counts
    if not kept:
        return
    more = (kept - 1, lost + 1, gained, missed)
    before, after = (
        decided(case(gate), pairs(**dict(zip(CHANGES, table, strict=True))), Policy(strict=strict)).outcome
        for table in (counts, more)
    )
    assert STEPS.index(after) >= STEPS.index(before)


@settings(max_examples=50, deadline=None)
@given(findings())
def test_holm_fails_nothing_that_would_pass_alone(family):
    together = decide(family, Policy())
    for finding, decision in zip(family, together, strict=True):
        (alone,) = decide([finding], Policy())
        assert decision.outcome in (("failed", "warned") if alone.outcome == "failed" else (alone.outcome,))
        if decision.adjusted_p is not None:
            assert alone.adjusted_p == finding.p <= decision.adjusted_p <= 1


@settings(max_examples=50, deadline=None)
@given(findings(), st.randoms(use_true_random=False))
def test_the_order_of_the_gates_is_no_matter(family, random):
    shuffled = random.sample(family, len(family))
    by_suite = {decision.case.suite.name: decision for decision in decide(family, Policy())}
    for decision in decide(shuffled, Policy()):
        same = by_suite[decision.case.suite.name]
        assert (decision.outcome, decision.adjusted_p) == (same.outcome, same.adjusted_p)


@settings(max_examples=50, deadline=None)
@given(findings())
def test_every_finding_is_decided_for_a_reason(family):
    for decision in decide(family, Policy()):
        assert decision.outcome in ("passed", "warned", "failed", "skipped")
        assert (decision.outcome == "skipped") == bool(decision.why)
        if decision.outcome == "failed" and decision.case.gate.on_inconclusive == "confirmed":
            assert decision.verdict == "VACUOUS" or (decision.over and decision.adjusted_p <= LEVEL)
        if decision.verdict == "RETAINED" and decision.standing == "tested":
            assert decision.outcome == "passed"


# All suites together


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"kept": 400}, ("RETAINED", "passed")),
        ({"kept": 190, "lost": 10}, ("FORGOTTEN", "failed")),  # 5 points, p = 1 / 2048
        ({"kept": 193, "lost": 7}, ("INCONCLUSIVE", "failed")),  # 3.5 points, p = 0.004
        ({"kept": 194, "lost": 6}, ("INCONCLUSIVE", "warned")),  # 3 points, the margin
        ({"kept": 172, "lost": 15, "gained": 8, "missed": 5}, ("INCONCLUSIVE", "warned")),  # 3.5, p = 0.08
        ({"kept": 140, "lost": 60}, ("FORGOTTEN", "failed")),
        ({"kept": 85}, ("INCONCLUSIVE", "skipped")),
        ({"missed": 200}, ("VACUOUS", "failed")),
    ],
)
def test_the_overall_gate(counts, expected):
    gates = [found(margin(max_drop=0.5), suite="s", **counts)]
    assert outcome(decide([find_overall(overall_case(MAX_DROP_OVERALL), gates)], Policy())[0]) == expected


def test_the_overall_gate_is_significant_at_one_percent():
    """Of 100 probes, 5 lost are 1.6 %, and 6 are 0.8 %."""
    gates = {lost: [found(margin(), suite="s", kept=100 - lost, lost=lost)] for lost in (5, 6)}
    decisions = [decide([find_overall(overall_case(0.03), gates[lost])], Policy())[0] for lost in (5, 6)]
    assert [decision.p for decision in decisions] == [1 / 64, 1 / 128]
    assert LEVEL_OVERALL == 0.01
    assert [decision.over for decision in decisions] == [True, True]
    assert [decision.outcome for decision in decisions] == ["warned", "failed"]


def test_broad_losses_that_no_slice_sees_fail_overall():
    slices = [found(margin(), suite=f"s{i}", kept=95, lost=5) for i in range(10)]
    overall = find_overall(overall_case(0.03), slices)
    assert outcomes([*slices, overall]) == ["passed"] * 10 + ["failed"]


def test_a_strict_run_wants_retained_overall():
    overall = find_overall(overall_case(0.03), [found(margin(), suite="s", kept=97, lost=2)])
    assert outcomes([overall]) == ["warned"]
    assert outcomes([overall], Policy(strict=True)) == ["failed"]


def test_the_overall_gate_is_as_severe_as_can_be():
    overall = find_overall(overall_case(0.03), [found(margin(), suite="s", lost=100)])
    assert outcomes([overall], Policy(fail_on="critical")) == ["failed"]


# Single probes


def listed(*severities: Severity, suite: str = "list", change: str = "lost") -> list[Finding]:
    return [found(EACH, severity, suite, **{change: 1}) for severity in severities]


@pytest.mark.parametrize(
    ("severities", "expected"),
    [
        (["critical"], ["failed"]),
        (["high"], ["warned"]),
        (["medium"], ["warned"]),
        (["low"], ["warned"]),
        (["high", "low"], ["failed", "failed"]),
        (["medium", "medium", "high"], ["failed"] * 3),
        (["critical", "high"], ["failed", "warned"]),
        (["critical", "critical"], ["failed", "failed"]),
        (["critical", "high", "high"], ["failed"] * 3),
    ],
)
def test_lost_probes_of_one_suite(severities, expected):
    kept = listed("high", "critical", change="kept") + listed("high", change="missed")
    assert outcomes(listed(*severities) + kept) == [*expected, "passed", "passed", "skipped"]


def test_each_suite_may_lose_one():
    kept = listed("low", suite="a", change="kept") + listed("low", suite="b", change="gained")
    assert outcomes(listed("high", suite="a") + listed("high", suite="b") + kept)[:2] == ["warned", "warned"]


@pytest.mark.parametrize("severity", SEVERITIES)
def test_a_suite_that_kept_none_may_lose_none(severity):
    others = listed("high", change="missed") + listed("high", suite="b", change="kept")
    assert outcomes(listed(severity) + others) == ["failed", "skipped", "passed"]


def test_what_was_lost_by_a_minority_is_not_lost():
    retained = find(case(EACH, suite="list"), pairs(lost=1), again=pairs(kept=1))
    assert outcomes([retained, *listed("high")]) == ["passed", "warned"]


def test_a_strict_run_loses_none():
    assert outcomes(listed("low"), Policy(strict=True)) == ["failed"]


def test_lost_probes_of_other_gates_do_not_count():
    slices = [found(margin(), suite="list", **LARGE_DROP), *listed("high"), *listed("high", change="kept")]
    assert outcomes(slices) == ["failed", "warned", "passed"]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("strict", [False, True])
def test_each_probe_is_to_pass(change, strict):
    gate = EachGate(require="pass")
    decision = decided(case(gate), pairs(**{change: 1}), Policy(strict=strict))
    assert outcome(decision) == (None, "passed" if CHANGES[change][1] else "failed")


# Severities


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("fail_on", SEVERITIES)
@pytest.mark.parametrize(
    ("gate", "counts"),
    [
        (margin(), {"kept": 10, "lost": 20}),
        (margin(), LARGE_DROP),
        (margin("fail"), SMALL_DROP),
        (EachGate(require="pass"), {"missed": 1}),
    ],
    ids=["forgotten", "confirmed", "inconclusive", "not passed"],
)
def test_fail_on_turns_lesser_failures_into_warnings(gate, counts, severity, fail_on):
    fails = SEVERITIES.index(severity) <= SEVERITIES.index(fail_on)
    decision = decided(case(gate, severity), pairs(**counts), Policy(fail_on=fail_on))
    assert decision.outcome == ("failed" if fails else "warned")


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("fail_on", SEVERITIES)
def test_fail_on_makes_no_decision_of_a_lack_of_evidence(severity, fail_on):
    fails = SEVERITIES.index(severity) <= SEVERITIES.index(fail_on)
    vacuous = decided(case(margin(), severity), pairs(missed=30), Policy(fail_on=fail_on))
    assert (vacuous.verdict, vacuous.outcome) == ("VACUOUS", "failed" if fails else "skipped")
    asked = case(margin(), severity)
    unlike = replace(find(asked, pairs(kept=30)), standing="bad", verdict="INCONCLUSIVE", why="cut")
    assert outcomes([unlike], Policy(fail_on=fail_on)) == ["failed" if fails else "skipped"]


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("fail_on", SEVERITIES)
def test_fail_on_turns_lost_probes_into_warnings(severity, fail_on):
    fails = SEVERITIES.index(severity) <= SEVERITIES.index(fail_on)
    assert (
        outcomes(listed(severity, severity), Policy(fail_on=fail_on)) == ["failed" if fails else "warned"] * 2
    )
