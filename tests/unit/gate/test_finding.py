"""What the answers to a slice show, before the gates of a run are decided together."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.engine.requests import Generated
from harness.errors import NoEvidenceError
from harness.gate.cases import overall_case, pooled_suites, with_overall
from harness.gate.compare import Pair, pooled, rise
from harness.gate.finding import Finding, find
from harness.gate.overall import find_overall
from harness.scoring import SCORERS, Score
from harness.stats.paired import mcnemar_mid_p
from harness.stats.settling import more_to_settle
from harness.suites.suite import EachGate, MarginGate, Probe, RiseGate
from tests.support.findings import CHANGES, case, found, pairs, texts

ALL = MarginGate(over="all", max_drop=0.10)
CATEGORY = MarginGate(over="category", max_drop=0.20, max_loss=0.35)
RISE = RiseGate(over="all", max_rise=0.02)
EACH = EachGate()
MARGIN = 0.03


def standing(finding: Finding) -> tuple[str, str | None]:
    return finding.standing, finding.verdict


# A slice of right and wrong answers


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"kept": 240}, ("tested", "RETAINED")),
        ({"kept": 20, "lost": 20}, ("tested", "FORGOTTEN")),
        ({"kept": 36, "lost": 4}, ("tested", "INCONCLUSIVE")),
        ({"missed": 30}, ("bad", "VACUOUS")),
        ({"kept": 24}, ("not gated", "INCONCLUSIVE")),
        ({"kept": 1, "lost": 9}, ("not gated", "FORGOTTEN")),
        ({"missed": 24}, ("not gated", "VACUOUS")),
    ],
)
def test_a_slice(counts, expected):
    assert standing(found(ALL, **counts)) == expected


def test_a_baseline_that_knows_nothing_shows_nothing_however_small_the_slice():
    unknown = "the baseline is right on none of the 40 probes asked"
    for gate, asked in ((ALL, pairs(missed=5)), (EACH, pairs(gained=1)), (RISE, texts([(9, 9)]))):
        shown = find(case(gate), asked, unknown)
        assert (*standing(shown), shown.why) == ("bad", "VACUOUS", unknown)


def test_three_quarters_lost_of_what_was_known():
    finding = found(CATEGORY, kept=3, lost=9, missed=34)
    assert (*standing(finding), finding.over) == ("tested", "FORGOTTEN", True)
    assert finding.p == mcnemar_mid_p(9, 0) == 2**-10


def test_four_lost_of_ten_known():
    finding = found(CATEGORY, kept=6, lost=4, missed=36)
    assert (*standing(finding), finding.over) == ("tested", "INCONCLUSIVE", True)
    assert finding.p == 2**-5


@pytest.mark.parametrize(
    ("counts", "more"),
    [({"kept": 20}, 5), ({"missed": 24}, 1), ({"kept": 2, "missed": 22}, 1), ({"kept": 12, "gained": 12}, 1)],
)
def test_a_slice_that_is_too_small_shows_nothing_whatever_its_answers(counts, more):
    finding = found(ALL, **counts)
    assert (finding.standing, finding.settling) == ("not gated", more)
    assert finding.why == f"not gated, {25 - more} probes: a margin of 10 points needs 25"


def test_how_many_more_probes_settle_it():
    finding = found(ALL, kept=38, lost=2)
    assert finding.verdict == "INCONCLUSIVE"
    assert finding.settling == more_to_settle(2, 0, 40, 0.10)
    assert found(ALL, kept=36, lost=4).settling is None  # the drop is the margin


def test_the_narrower_margin_is_the_one_to_settle():
    finding = found(CATEGORY, kept=30, lost=10, missed=60)
    assert finding.verdict == "INCONCLUSIVE"
    assert finding.settling == more_to_settle(10, 0, 100, 0.35 * 0.40)  # 14 points, and not 20


def test_more_probes_of_few_clusters_say_less():
    clusters = ("a", "b", "c", "d", "e", "f", "g", "h")
    asked = pairs((None,), lost=6, kept=114)
    together = [
        Pair(Probe(pair.probe.id, pair.probe.scorer, cluster=clusters[i // 15]), pair.baseline, pair.tuned)
        for i, pair in enumerate(asked)
    ]
    finding = find(case(ALL), together)
    assert finding.verdict == "INCONCLUSIVE"
    assert finding.comparison.design_effect > 4
    effect = finding.comparison.design_effect
    effective = more_to_settle(round(6 / effect), 0, round(120 / effect), 0.10)
    assert finding.settling == math.ceil(effective * effect) > more_to_settle(6, 0, 120, 0.10)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"kept": 500}, ("undecided", "INCONCLUSIVE")),
        ({"kept": 498, "gained": 2}, ("undecided", "INCONCLUSIVE")),
        ({"kept": 490, "gained": 10}, ("tested", "RETAINED")),
        ({"kept": 499, "lost": 1}, ("tested", "INCONCLUSIVE")),
        ({"kept": 450, "lost": 50}, ("tested", "FORGOTTEN")),
    ],
)
@pytest.mark.parametrize("margins", [(0.0, 1.0), (0.0, 0.15), (0.1, 0.0)])
def test_without_a_margin_only_a_loss_can_be_decided(counts, expected, margins):
    finding = found(MarginGate(over="all", max_drop=margins[0], max_loss=margins[1]), **counts)
    assert standing(finding) == expected
    proof = "no number of probes can show that nothing at all was lost"
    assert finding.why == (proof if expected[0] == "undecided" else "")


@settings(max_examples=100, deadline=None)
@given(
    st.tuples(*[st.integers(0, 20)] * 4).filter(any),
    st.sampled_from([0.0, 0.05, 0.1, 0.2, 1.0]),
    st.sampled_from([0.0, 0.15, 0.35, 1.0]),
    st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=7),
)
def test_any_counts_show_something(counts, max_drop, max_loss, clusters):
    gate = MarginGate(over="all", max_drop=max_drop, max_loss=max_loss)
    finding = find(case(gate), pairs(clusters, **dict(zip(CHANGES, counts, strict=True))))
    assert (finding.standing in ("undecided", "not gated")) == bool(finding.why)
    assert (finding.standing == "not gated") == finding.why.startswith("not gated")
    assert (finding.p is not None) == (finding.standing == "tested")
    assert finding.settling is None or finding.settling > 0
    assert finding.settling is None or finding.verdict == "INCONCLUSIVE" or finding.standing == "not gated"


@pytest.mark.parametrize("gate", [ALL, RISE, EACH, EachGate(require="pass")])
def test_no_pairs_are_no_evidence(gate):
    with pytest.raises(NoEvidenceError, match=r"^no probe was asked for s · (all|p)$"):
        find(case(gate), [])


@pytest.mark.parametrize("gate", [ALL, RISE, EACH])
def test_no_baseline_is_no_evidence(gate):
    (asked,) = pairs(kept=1)
    with pytest.raises(NoEvidenceError, match="the baseline was not asked"):
        find(case(gate), [Pair(asked.probe, None, asked.tuned)])


# Texts


BITS = [(100.0, 101.0), (50.0, 52.0), (80.0, 80.5), (120.0, 126.0), (60.0, 60.0), (90.0, 91.8)]


def test_texts_are_judged_by_the_mean_log_ratio():
    asked = texts(BITS)
    finding = find(case(RISE), asked)
    assert finding.rise == rise(asked)
    assert finding.p == finding.rise.p
    assert (*standing(finding), finding.over) == ("tested", "INCONCLUSIVE", True)


@pytest.mark.parametrize(
    ("ratio", "expected"), [(1.0, "RETAINED"), (0.9, "RETAINED"), (1.02, "RETAINED"), (1.03, "FORGOTTEN")]
)
def test_texts_that_all_rise_alike(ratio, expected):
    finding = find(case(RISE), texts([(100, 100 * ratio), (50, 50 * ratio), (70, 70 * ratio)]))
    assert standing(finding) == ("tested", expected)
    assert finding.over == (expected == "FORGOTTEN")


def test_one_text_has_no_spread():
    finding = find(case(RISE), texts([(100, 200)]))
    assert (*standing(finding), finding.settling) == ("not gated", "INCONCLUSIVE", 1)
    assert finding.why == "not gated, 1 text: a mean needs 2"


# Single probes


@pytest.mark.parametrize(
    ("change", "unknown", "expected"),
    [
        ("kept", None, ("fine", "RETAINED")),
        ("gained", None, ("fine", "RETAINED")),
        ("lost", None, ("tested", "FORGOTTEN")),
        ("missed", None, ("undecided", "VACUOUS")),
        ("missed", "the baseline is right on none", ("bad", "VACUOUS")),
        ("gained", "the baseline is right on none", ("bad", "VACUOUS")),
    ],
)
def test_each_probe_is_to_be_retained(change, unknown, expected):
    finding = find(case(EACH), pairs(**{change: 1}), unknown)
    assert standing(finding) == expected
    assert finding.comparison is not None
    assert (finding.settling, finding.p) == (None, None)


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        ({}, "FORGOTTEN"),
        ({"lost": 1}, "FORGOTTEN"),
        ({"kept": 1}, "RETAINED"),  # 1 of 2 is no majority
        ({"lost": 1, "kept": 1}, "FORGOTTEN"),
        ({"kept": 2}, "RETAINED"),
        ({"lost": 1, "kept": 2}, "RETAINED"),  # nor are 2 of 4
        ({"lost": 2, "kept": 1}, "FORGOTTEN"),
        ({"lost": 1, "missed": 2}, "FORGOTTEN"),  # 2 of 2, for what the baseline misses shows no loss
        ({"lost": 1, "gained": 2}, "FORGOTTEN"),
        ({"kept": 1, "missed": 2}, "RETAINED"),
        ({"lost": 1, "kept": 2, "missed": 1}, "RETAINED"),  # 2 of 4
        ({"lost": 3}, "FORGOTTEN"),
    ],
)
def test_lost_by_majority_is_lost(again, expected):
    attempts = pairs(**again)
    finding = find(case(EACH), pairs(lost=1), again=attempts)
    assert (finding.verdict, finding.again) == (expected, tuple(attempts))
    times = 1 + again.get("lost", 0)
    known = times + again.get("kept", 0)
    assert finding.why == ("" if expected == "FORGOTTEN" else f"lost in {times} of {known} attempts")


@pytest.mark.parametrize("again", [{"missed": 1}, {"gained": 1}, {"missed": 2, "gained": 1}])
def test_a_loss_that_no_further_attempt_could_show_is_undecided(again):
    attempts = pairs(**again)
    finding = find(case(EACH), pairs(lost=1), again=attempts)
    assert standing(finding) == ("undecided", "INCONCLUSIVE")
    assert finding.why == (
        f"lost once, and the baseline is wrong in each further attempt ({len(attempts)}), so none could show a loss"
    )


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("with_baseline", [True, False])
def test_each_probe_is_to_pass(change, with_baseline):
    (asked,) = pairs(**{change: 1})
    if not with_baseline:
        asked = Pair(asked.probe, None, asked.tuned)
    finding = find(case(EachGate(require="pass")), [asked])
    assert standing(finding) == ("fine" if asked.tuned.right else "bad", None)
    assert finding.comparison is None


# All suites together


def test_suites_are_pooled_as_strata():
    a = found(ALL, suite="a", kept=80, lost=12, gained=2, missed=6)
    b = find(case(CATEGORY, suite="b"), pairs([f"c{i // 10}" for i in range(50)], kept=30, lost=3, missed=17))
    finding = find_overall(overall_case(MARGIN), [a, b])
    assert finding.parts == (("a", a.comparison), ("b", b.comparison))
    assert finding.comparison == pooled([a.comparison, b.comparison])
    assert finding.p == finding.comparison.mid_p
    assert (*standing(finding), finding.over) == ("tested", "FORGOTTEN", True)


def test_each_probe_is_pooled_once():
    """Whatever the gates that it is under, even those that decide nothing by themselves."""
    whole = found(ALL, suite="a", lost=10, kept=90)
    first = find(case(CATEGORY, suite="a"), pairs(lost=10, kept=90)[:8])
    finding = find_overall(overall_case(MARGIN), [whole, first])
    assert finding.comparison.n == 100
    assert finding.parts == (("a", whole.comparison),)
    assert first.standing == "not gated"
    assert find_overall(overall_case(0.5), [first]).comparison.n == 8


def test_what_has_rules_of_its_own_or_nothing_to_lose_is_not_pooled():
    left_out = [
        find(case(RISE, suite="texts"), texts(BITS)),
        find(case(EACH, suite="list"), pairs(lost=1)),
        find(case(ALL, suite="guessed"), pairs(gained=4, missed=46), "the baseline guesses"),
    ]
    assert find_overall(overall_case(MARGIN), left_out).standing == "undecided"
    finding = find_overall(overall_case(MARGIN), [*left_out, found(ALL, suite="a", kept=200)])
    assert [name for name, _ in finding.parts] == ["a"]
    assert standing(finding) == ("tested", "RETAINED")


def test_nothing_to_pool():
    finding = find_overall(overall_case(MARGIN), [])
    assert (finding.standing, finding.why) == (
        "undecided", "no suite has a gate whose probes could be pooled",
    )  # fmt: skip


def test_too_few_to_pool():
    findings = [found(ALL, suite=name, kept=40) for name in "ab"]
    finding = find_overall(overall_case(MARGIN), findings)
    assert (finding.standing, finding.settling) == ("not gated", 8)
    assert finding.why == "not gated, 80 probes: a margin of 3 points needs 88"


def test_a_baseline_that_knows_hardly_anything_at_all():
    findings = [found(ALL, suite=name, kept=1, missed=99) for name in "ab"]
    assert standing(find_overall(overall_case(MARGIN), findings)) == ("bad", "VACUOUS")


@pytest.mark.parametrize(
    ("gates", "max_drop", "of_one", "pooled"),
    [
        ([ALL, CATEGORY], MARGIN, False, True),
        ([ALL, CATEGORY], None, True, False),
        ([ALL], MARGIN, False, False),  # one suite has the margin of its author
        ([ALL], MARGIN, True, True),
        ([ALL, RISE, EACH], MARGIN, False, False),
        ([RISE, EACH], MARGIN, True, False),
        ([], MARGIN, True, False),
    ],
)
def test_when_there_is_an_overall_gate(gates, max_drop, of_one, pooled):
    selected = [case(gate, suite=f"s{i}") for i, gate in enumerate(gates)]
    assert pooled_suites(selected) == {
        f"s{i}" for i, gate in enumerate(gates) if isinstance(gate, MarginGate)
    }
    of_run = with_overall(selected, max_drop, of_one)
    assert of_run[: len(selected)] == selected
    assert [each.title for each in of_run[len(selected) :]] == ["overall"] * pooled


# Answers that were cut


def cut_pairs(n: int, cut_before: int, cut_after: int, lost: int = 0, score: str = "equals") -> list[Pair]:
    def answer(is_cut: bool, right: bool) -> Score:
        return Score(right, "", Generated("", 9, "limit" if is_cut else "turn"))

    probe = Probe("p", SCORERS[score]())
    return [Pair(probe, answer(i < cut_before, True), answer(i < cut_after, i >= lost)) for i in range(n)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (0, 0, ("tested", "RETAINED")),
        (100, 100, ("tested", "RETAINED")),  # both alike
        (0, 10, ("tested", "RETAINED")),  # at the margin
        (0, 11, ("bad", "INCONCLUSIVE")),
        (11, 0, ("bad", "INCONCLUSIVE")),
    ],
)
def test_a_slice_whose_answers_were_cut_unlike_cannot_be_decided(before, after, expected):
    finding = find(case(ALL), cut_pairs(100, before, after))
    assert standing(finding) == expected
    assert (finding.cut.baseline, finding.cut.tuned, finding.cut.n) == (before, after, 100)
    assert finding.cut.worth_a_warning == (max(before, after) > 5)
    assert finding.why == (
        f"max_new_tokens cut {before} answers of the baseline and {after} of the tuned model whose verdict was still open, of 100 "
        "each: the difference is more than the margin, and a cut answer is incomplete"
        if expected[0] == "bad"
        else ""
    )


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
    finding = find(case(ALL), [Pair(probe, answer(a), answer(b)) for a, b in changes])
    assert (finding.verdict == "INCONCLUSIVE") is undecided


@pytest.mark.parametrize(
    ("before", "after", "lost", "expected"),
    [
        (0, 60, 60, "INCONCLUSIVE"),  # what was cut may have been right
        (60, 0, 60, "FORGOTTEN"),  # the baseline lost by it, and forgotten is what it is all the same
        (60, 0, 0, "RETAINED"),  # what was cut was right already, on either side
        (0, 60, 0, "RETAINED"),  # the tuned model lost by it, and has retained all the same
    ],
)
def test_what_only_cost_the_other_side_right_answers_takes_no_verdict_back(before, after, lost, expected):
    """Under a score by which a right answer stays right however it goes on."""
    assert find(case(ALL), cut_pairs(100, before, after, lost, "mentions")).verdict == expected
    assert find(case(ALL), cut_pairs(100, before, after, lost, "number")).verdict == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("right_before", "score", "verdict"),
    [
        (False, "mentions", "INCONCLUSIVE"),  # the baseline may have known more, and lost it
        (True, "mentions", "RETAINED"),  # a right answer stays right, so these are complete
        (True, "number", "INCONCLUSIVE"),  # but not by this score
    ],
)
def test_a_cut_answer_counts_only_where_its_verdict_is_open(right_before, score, verdict):
    probe = Probe("p", SCORERS[score]())

    def answer(right: bool, is_cut: bool = False) -> Score:
        return Score(right, "", Generated("", 9, "limit" if is_cut else "turn"))

    cut_short = [Pair(probe, answer(right_before, True), answer(right_before))] * 60
    found = find(case(ALL), [*cut_short, *[Pair(probe, answer(True), answer(True))] * 40])
    assert found.verdict == verdict
    assert found.cut.baseline == 60
    assert found.cut.open_baseline == (60 if verdict == "INCONCLUSIVE" else 0)


def test_sides_that_were_cut_alike_are_compared_whatever_their_verdicts():
    """A model that says nothing right any more is FORGOTTEN, though the baseline's right answers alone are settled."""
    found = find(case(ALL), cut_pairs(100, 100, 100, lost=100, score="mentions"))
    assert (found.cut.open_baseline, found.cut.open_tuned) == (0, 100)
    assert found.verdict == "FORGOTTEN"


def test_a_sample_that_knows_nearly_nothing_is_not_gated():
    """The whole slice may know enough, so nothing is wrong with the baseline."""
    gate = MarginGate(over="all", max_drop=0.15, max_loss=0.35)
    asked = pairs(kept=3, missed=17)
    assert standing(find(case(gate), asked)) == ("bad", "VACUOUS")
    part = find(replace(case(gate), sampled=True), asked)
    assert (*standing(part), part.why) == (
        "not gated", "VACUOUS", "not gated, the baseline knew 3 of 20 probes of the sample",
    )  # fmt: skip
