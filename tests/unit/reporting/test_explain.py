"""The text of a case that did not pass, as people read it: a sentence, the counts, and why it fails or only warns."""

from __future__ import annotations

from textwrap import dedent

import pytest

from harness.engine.requests import Generated
from harness.gate.cases import overall_case
from harness.gate.compare import Pair
from harness.gate.decide import decide
from harness.gate.finding import Finding, find
from harness.gate.overall import find_overall
from harness.gate.policy import Policy
from harness.reporting.explain import explain
from harness.scoring import SCORERS, Score
from harness.spelling import on_command_line
from harness.suites.suite import EachGate, MarginGate, Probe, RiseGate
from tests.support.findings import case, found, pairs, texts

ALL = MarginGate(over="all", max_drop=0.10)
CATEGORY = MarginGate(over="category", max_drop=0.20, max_loss=0.35)
RISE = RiseGate(over="all", max_rise=0.02)
EACH = EachGate()


def told(finding: Finding, *others: Finding, policy: Policy = Policy()) -> str:
    """What is said of the first of a run's findings, without the probes that it lost."""
    decision = decide([finding, *others], policy)[0]
    text = on_command_line(explain(decision, policy))
    lines = [line for line in text.splitlines() if not line.startswith(("  lost  ", "  and ", "  expected"))]
    return "\n".join([decision.outcome, *lines])


def quiet(number: int) -> list[Finding]:
    """So many other slices of which nothing was lost."""
    return [found(ALL, suite=f"quiet{i}", kept=40) for i in range(number)]


def overall(*slices: Finding) -> Finding:
    return find_overall(overall_case(0.03), slices)


def same(text: str, expected: str) -> bool:
    assert text == dedent(expected).strip()
    return True


def test_a_confirmed_failure_that_is_inconclusive():
    assert same(
        told(found(ALL, suite="facts", kept=34, lost=6)),
        """
        failed
        facts · all: INCONCLUSIVE, 15 points lost (margin 10; 90 % interval 7.7 to 26.5)
          40 probes: 34 kept, 6 lost, 0 gained, 0 missed
          no accident: p = 0.0078 (fails at 0.05 or less)
          about 192 more probes like these would settle it in 8 of 10 runs
        """,
    )


def test_much_lost_of_little_known():
    assert same(
        told(found(CATEGORY, suite="facts", kept=3, lost=9, missed=34)),
        """
        failed
        facts · c: FORGOTTEN, 19.6 points lost (margin 20; 90 % interval 11.8 to 30.8)
          46 probes: 3 kept, 9 lost, 0 gained, 34 missed
          75.0 % of what the baseline knew was lost (margin 35 %; 90 % interval 51.3 to 89.5 %)
          no accident: p = 0.00098 (fails at 0.05 or less)
        """,
    )


def test_forgotten_and_not_confirmed():
    assert same(
        told(found(ALL, kept=22, lost=8), *quiet(40)),
        """
        warned
        s · all: FORGOTTEN, 26.7 points lost (margin 10; 90 % interval 15.7 to 41.5)
          30 probes: 22 kept, 8 lost, 0 gained, 0 missed
          may be an accident, so only a warning: p = 0.08, adjusted for 41 gates (fails at 0.05 or less)
        """,
    )


def test_within_the_margin_and_not_sure():
    assert same(
        told(found(ALL, kept=38, lost=2)),
        """
        warned
        s · all: INCONCLUSIVE, 5 points lost (margin 10; 90 % interval -1.7 to 14)
          40 probes: 38 kept, 2 lost, 0 gained, 0 missed
          what was observed is within the margin, but on too few probes to be sure
          about 112 more probes like these would settle it in 8 of 10 runs
        """,
    )


def test_at_the_margin_no_number_settles_it():
    assert told(found(ALL, kept=36, lost=4)).endswith(
        "  the drop is so near the margin that no number of probes would settle it"
    )


@pytest.mark.parametrize(
    ("rule", "counts", "policy", "reason"),
    [
        ("observed", {"kept": 34, "lost": 6}, Policy(), "failed: it fails under on_inconclusive: observed"),
        ("fail", {"kept": 38, "lost": 2}, Policy(), "failed: it fails under on_inconclusive: fail"),
        (
            "pass",
            {"kept": 34, "lost": 6},
            Policy(),
            "warned: it passes with this warning under on_inconclusive: pass",
        ),
        ("confirmed", {"kept": 38, "lost": 2}, Policy(strict=True), "failed: it fails under --strict"),
        ("pass", {"kept": 38, "lost": 2}, Policy(strict=True), "failed: it fails under --strict"),
    ],
)
def test_the_rule_is_named(rule, counts, policy, reason):
    gate = MarginGate(over="all", max_drop=0.10, on_inconclusive=rule)
    outcome, _, _, why, _ = told(found(gate, **counts), policy=policy).splitlines()
    assert f"{outcome}: {why.strip()}" == reason


@pytest.mark.parametrize(
    ("finding", "sentence"),
    [
        (found(ALL, kept=5), "s · all: not gated, 5 probes: a margin of 10 points needs 25"),
        (
            found(MarginGate(over="all", max_drop=0.05, max_loss=0.35), kept=4, missed=56),
            "s · all: not gated, the baseline knew 4 of 60 probes: a loss of at most 35 % of that needs 6",
        ),
        (find(case(RISE), texts([(100, 101)])), "s · all: not gated, 1 text: a mean needs 2"),
        (
            found(MarginGate(over="all", max_drop=0.0), kept=50),
            "s · all: undecided, no number of probes can show that nothing at all was lost",
        ),
        (overall(*quiet(1)), "overall: not gated, 40 probes: a margin of 3 points needs 88"),
        (overall(), "overall: undecided, no suite has a gate whose probes could be pooled"),
        (found(EACH, missed=1), "s · p: both models miss it, so there is nothing to lose here"),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_what_decided_nothing(finding, sentence, strict):
    outcome, said, *_ = told(finding, policy=Policy(strict=strict)).splitlines()
    assert (outcome, said) == ("skipped", sentence)


@pytest.mark.parametrize(
    ("finding", "sentence"),
    [
        (
            found(ALL, missed=30),
            "s · all: VACUOUS, the baseline is right on 0.0 %, so even losing all of it would be within the margin of 10 points",
        ),
        (
            find(case(ALL), pairs(missed=5), "the baseline is right on none of the 5 probes asked"),
            "s · all: VACUOUS, the baseline is right on none of the 5 probes asked, so no loss could show",
        ),
        (
            find(case(EACH), pairs(missed=1), "the baseline is right on none of the 5 probes asked"),
            "s · p: VACUOUS, the baseline is right on none of the 5 probes asked, so no loss could show",
        ),
        (
            overall(found(ALL, kept=1, missed=199)),
            "overall: VACUOUS, the baseline is right on 0.5 %, so even losing all of it would be within the margin of 3 points",
        ),
    ],
)
def test_nothing_to_lose(finding, sentence):
    outcome, said, remedy, *_ = told(finding).splitlines()
    assert (outcome, said) == ("failed", sentence)
    assert remedy.startswith("  ask what the baseline can answer")
    assert "against the release that knew it: --baseline" in remedy


def test_cut_answers():
    answers = [
        Score(True, "", Generated("", 9, "turn")),
        Score(True, "", Generated("", 9, "limit")),
    ]
    probe = Probe("p", SCORERS["equals"]())
    cut = [Pair(probe, answers[0], answers[i < 20]) for i in range(100)]
    assert same(
        told(find(case(ALL), cut)),
        """
        failed
        s · all: INCONCLUSIVE, nothing lost (margin 10; 90 % interval -2.6 to 2.6)
          100 probes: 100 kept, 0 lost, 0 gained, 0 missed
          max_new_tokens cut 0 answers of the baseline and 20 of the tuned model whose verdict was still open, of 100 each: the difference is more than the margin, and a cut answer is incomplete
          raise 'max_new_tokens' in the suite's task
        """,
    )  # fmt: skip


# Clusters


@pytest.mark.parametrize(
    ("clusters", "line"),
    [
        (8, "  the probes come in 8 clusters, with a design effect of 5.7; so few templates say little about others"),
        (10, "  the probes come in 10 clusters, with a design effect of 3.9"),
        (1, "  the probes come in 1 cluster, with a design effect of 1.0; so few templates say little about others"),
    ],
)  # fmt: skip
def test_clusters(clusters, line):
    size = 40 // clusters
    asked = pairs([f"c{i // size}" for i in range(40)], lost=10, kept=30)
    assert told(find(case(ALL), asked)).splitlines()[3] == line


def test_probes_of_their_own_have_no_line_of_clusters():
    assert "cluster" not in told(found(ALL, lost=10, kept=30))


# Texts


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        (
            [(100, 104), (100, 105), (80, 82)],
            """
            failed
            s · all: INCONCLUSIVE, bits per byte up by 3.8 % (margin 2 %; 90 % interval 1.7 to 6 %)
              no accident: p = 0.017 (fails at 0.05 or less)
            """,
        ),
        (
            [(100, 101), (100, 105), (80, 82)],
            """
            warned
            s · all: INCONCLUSIVE, bits per byte up by 2.8 % (margin 2 %; 90 % interval -0.5 to 6.3 %)
              may be an accident, so only a warning: p = 0.067 (fails at 0.05 or less)
            """,
        ),
        (
            [(100, 90), (80, 82)],
            """
            warned
            s · all: INCONCLUSIVE, bits per byte down by 4.0 % (margin 2 %; 90 % interval -36.3 to 44.8 %)
              what was observed is within the margin, but on too few texts to be sure
            """,
        ),
    ],
)
def test_texts(bits, expected):
    assert same(told(find(case(RISE), texts(bits))), expected)


# All suites together


FACTS = found(ALL, suite="facts", kept=93, lost=6, gained=1)
MATHS = found(ALL, suite="maths", kept=45, lost=5)


def test_overall_failed():
    assert same(
        told(overall(FACTS, MATHS)),
        """
        failed
        overall: FORGOTTEN, 6.7 points lost (margin 3; 90 % interval 3.3 to 11.1)
          150 probes: 138 kept, 11 lost, 1 gained, 0 missed
          facts: 100 probes: 93 kept, 6 lost, 1 gained, 0 missed
          maths: 50 probes: 45 kept, 5 lost, 0 gained, 0 missed
          no accident: p = 0.0017 (fails at 0.01 or less)
        """,
    )


def test_overall_warned():
    facts = found(ALL, suite="facts", kept=93, lost=4, gained=3)
    assert same(
        told(overall(facts, MATHS)),
        """
        warned
        overall: INCONCLUSIVE, 4 points lost (margin 3; 90 % interval 0.2 to 8.2)
          150 probes: 138 kept, 9 lost, 3 gained, 0 missed
          facts: 100 probes: 93 kept, 4 lost, 3 gained, 0 missed
          maths: 50 probes: 45 kept, 5 lost, 0 gained, 0 missed
          may be an accident, so only a warning: p = 0.046 (fails at 0.01 or less)
        """,
    )


# Single probes


def test_the_only_lost_probe():
    assert same(
        told(found(EACH, lost=1), found(EACH, kept=1)),
        """
        warned
        s · p: FORGOTTEN, the baseline was right and the tuned model is wrong
          a warning only: a suite may lose one probe that is not critical
          baseline  ""
          tuned     ""
        """,
    )


@pytest.mark.parametrize(
    ("findings", "policy"),
    [
        ([found(EACH, "critical", lost=1)], Policy()),
        ([found(EACH, lost=1), found(EACH, lost=1)], Policy()),
        ([found(EACH, lost=1)], Policy(strict=True)),
    ],
)
def test_lost_probes_that_fail(findings, policy):
    assert same(
        told(*findings, policy=policy),
        """
        failed
        s · p: FORGOTTEN, the baseline was right and the tuned model is wrong
          baseline  ""
          tuned     ""
        """,
    )


def test_how_often_it_was_lost():
    probe = pairs(lost=1)[0].probe
    words = [Probe("p0 (2)", probe.scorer, fields={}), *(Probe(f"p0 ({i})", probe.scorer, fields={"question": "Other?"}) for i in (3, 4))]  # fmt: skip
    again = [Pair(probe, each.baseline, each.tuned) for probe, each in zip(words, pairs(lost=2, kept=1), strict=True)]  # fmt: skip
    text = told(find(case(EACH), pairs(lost=1), again=again))
    assert "\n  lost in 3 of 4 attempts, 2 of them in other words\n" in text
    again[1:] = [Pair(pair.probe, pairs(missed=1)[0].baseline, pair.tuned) for pair in again[1:]]
    text = told(find(case(EACH), pairs(lost=1), again=again))
    assert "\n  lost in 2 of 2 attempts; the baseline is wrong in 2 more\n" in text


def test_a_loss_that_could_not_be_shown_again():
    text = told(find(case(EACH), pairs(lost=1), again=pairs(missed=1)))
    assert text.startswith("skipped\ns · p: undecided, lost once, and the baseline is wrong in each further")


def test_a_wrong_answer_that_must_be_right():
    finding = found(EachGate("pass"), missed=1)
    assert told(finding).splitlines()[:2] == [
        "failed", "s · p: FAILED, the tuned model's answer is wrong (require: pass)",
    ]  # fmt: skip


@pytest.mark.parametrize("finding", [found(ALL, "low", kept=10, lost=30), found(EACH, "low", lost=1)])
def test_what_fails_only_by_its_severity(finding):
    text = told(finding, found(EACH, lost=1), policy=Policy(fail_on="high"))
    assert text.startswith("warned\n")
    assert "\n  a warning only: its severity is low, and --fail-on is high" in text


# Evidence


def test_ten_lost_probes_are_listed():
    decision = decide([found(ALL, kept=20, lost=12)], Policy())[0]
    lines = explain(decision, Policy()).splitlines()
    lost = [line for line in lines if line.startswith("  lost  ")]
    assert len(lost) == 10
    assert lost[0] == '  lost  p20  expected mentions {}  baseline ""  tuned ""'
    assert lines[-1] == "  and 2 more lost; the record has all of them"
