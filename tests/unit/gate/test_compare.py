"""Two sides of scores in, counts and an interval out; nothing unpaired or empty gets through."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from harness.errors import NoEvidenceError
from harness.gate.compare import Pair, Rise, compare, comparison, pair, pooled, rise
from harness.scoring import SCORERS, Score
from harness.stats.clusters import clustered_interval, design_effect, effective_mid_p, student_quantile
from harness.stats.paired import mcnemar_mid_p, tango_interval
from harness.stats.ratio import share_lost_interval
from harness.stats.strata import stratified_interval
from harness.suites.suite import Probe
from tests.support.findings import CHANGES, pairs, texts

RIGHT, WRONG = Score(True, "yes"), Score(False, "no")


def probe(id: str) -> Probe:
    return Probe(id, SCORERS["mentions"]())


@pytest.mark.parametrize(
    ("baseline", "tuned", "change"),
    [
        (RIGHT, RIGHT, "kept"),
        (RIGHT, WRONG, "lost"),
        (WRONG, RIGHT, "gained"),
        (WRONG, WRONG, "missed"),
        (None, RIGHT, None),
    ],
)
def test_what_changed(baseline, tuned, change):
    assert Pair(probe("a"), baseline, tuned).change == change


def test_scores_are_paired_by_id_in_the_order_of_the_probes():
    probes = [probe("b"), probe("a")]
    matched = pair(probes, {"a": RIGHT, "b": WRONG, "z": RIGHT}, {"b": RIGHT, "a": WRONG})
    assert matched == [Pair(probes[0], WRONG, RIGHT), Pair(probes[1], RIGHT, WRONG)]
    assert [each.baseline for each in pair(probes, None, {"a": RIGHT, "b": RIGHT})] == [None, None]


@pytest.mark.parametrize(
    ("baseline", "tuned", "message"),
    [
        (
            {"a": RIGHT},
            {"a": RIGHT, "b": RIGHT},
            "the baseline model has no score for 1 of 2 probes, the first of them 'b'",
        ),
        (
            {"a": RIGHT, "b": RIGHT},
            {},
            "the tuned model has no score for 2 of 2 probes, the first of them 'a'",
        ),
        (None, {"b": RIGHT}, "the tuned model has no score for 1 of 2 probes, the first of them 'a'"),
    ],
)
def test_a_score_that_is_missing_is_an_error(baseline, tuned, message):
    with pytest.raises(NoEvidenceError, match=f"^{message}$"):
        pair([probe("a"), probe("b")], baseline, tuned)


def test_compare_counts():
    sides = [(RIGHT, RIGHT), (RIGHT, WRONG), (RIGHT, WRONG), (WRONG, RIGHT), (WRONG, WRONG)]
    found = compare([Pair(probe("a"), before, after) for before, after in sides])
    assert (found.kept, found.lost, found.gained, found.missed, found.n) == (1, 2, 1, 1, 5)
    assert (found.baseline_right, found.baseline_accuracy, found.tuned_accuracy) == (3, 0.6, 0.4)
    assert found.drop == pytest.approx(0.2)
    assert found.interval == tango_interval(2, 1, 5)
    assert found.mid_p == mcnemar_mid_p(2, 1)


def test_nothing_to_compare_is_an_error():
    with pytest.raises(NoEvidenceError, match="no probes: nothing follows from an empty comparison"):
        compare([])
    with pytest.raises(NoEvidenceError, match="no probes"):
        comparison(0, 0, 0, 0)
    with pytest.raises(NoEvidenceError, match="the baseline was not asked, so there is nothing to compare"):
        compare([Pair(probe("a"), RIGHT, RIGHT), Pair(probe("b"), None, RIGHT)])


@settings(max_examples=100, deadline=None)
@given(st.tuples(*[st.integers(0, 50)] * 4).filter(any))
def test_rates_agree(counts):
    found = comparison(*counts)
    assert found.drop == pytest.approx(found.baseline_accuracy - found.tuned_accuracy)
    assert found.interval[0] <= found.drop <= found.interval[1]
    assert found.interval[0] < found.interval[1]


def test_a_model_against_itself_drops_nothing():
    found = compare([Pair(probe("a"), RIGHT, RIGHT)] * 20)
    assert found.drop == 0
    assert found.interval == pytest.approx((-0.1191578, 0.1191578), abs=1e-6)
    assert found.mid_p == 0.5


def test_what_was_lost_of_what_the_baseline_knew():
    found = comparison(3, 9, 0, 34)
    assert found.share_lost == 0.75
    assert found.loss == share_lost_interval(3, 9, 0, 46)
    assert found.loss == pytest.approx((0.5127, 0.8953), abs=5e-5)
    assert comparison(8, 2, 4, 6).share_lost == pytest.approx(-0.2)


@pytest.mark.parametrize("compared", [comparison(0, 0, 3, 7), compare(pairs(["a", "b"], gained=3, missed=7))])
def test_nothing_known_is_no_share_to_lose(compared):
    assert (compared.loss, compared.share_lost) == (None, 0.0)


# Clusters


def shuffled(clusters: list[str | None], seed: int, **counts: int) -> list[Pair]:
    """Pairs whose clusters are in no order."""
    asked = pairs(clusters, **counts)
    return [asked[i] for i in np.random.default_rng(seed).permutation(len(asked))]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("clusters", [["a", "b", "c"], ["a", "a", "b", "c", None]])
def test_clusters_count_as_the_statistics_say(clusters, seed):
    asked = shuffled(clusters, seed, lost=9, kept=40, gained=3, missed=20)
    names = [pair.probe.cluster or pair.probe.id for pair in asked]
    lost, gained, size = (
        [sum(name == of and (wanted is None or pair.change == wanted) for name, pair in zip(names, asked, strict=True))
         for of in sorted(set(names))]
        for wanted in ("lost", "gained", None)
    )  # fmt: skip
    found = compare(asked)
    effect = design_effect(lost, gained, size)
    degrees = len(size) - 1
    assert (found.kept, found.lost, found.gained, found.missed) == (40, 9, 3, 20)
    assert (found.clusters, found.design_effect) == (len(size), pytest.approx(effect))
    assert found.interval == pytest.approx(clustered_interval(lost, gained, size))
    assert found.mid_p == pytest.approx(float(effective_mid_p(9, 3, effect)))
    assert found.quantile == student_quantile(degrees)
    assert found.loss == pytest.approx(
        share_lost_interval(*(x / effect for x in (40, 9, 3, 72)), quantile=student_quantile(degrees))
    )


@pytest.mark.parametrize("clusters", [[None], [f"c{i}" for i in range(72)]])
def test_probes_of_their_own_are_independent(clusters):
    assert compare(pairs(clusters, lost=9, kept=40, gained=3, missed=20)) == comparison(40, 9, 3, 20)


def test_a_single_cluster_says_nothing_of_others():
    found, alone = compare(pairs(["a"], lost=5, kept=30)), comparison(30, 5, 0, 0)
    assert (found.clusters, found.design_effect) == (1, 1.0)
    assert (found.interval, found.mid_p, found.loss) == (alone.interval, alone.mid_p, alone.loss)


def test_losses_that_go_together_are_less_evidence():
    spread = compare(pairs([f"c{i}" for i in range(12)], lost=12, kept=48))
    ids = [f"c{i // 5}" for i in range(60)]
    together = compare(pairs(ids, lost=12, kept=48))
    assert spread.drop == together.drop == 0.2
    assert spread.design_effect == 1
    assert together.design_effect > 4
    assert together.mid_p > 30 * spread.mid_p
    assert together.interval[0] < spread.interval[0] < spread.interval[1] < together.interval[1]


@settings(max_examples=100, deadline=None)
@given(
    st.tuples(*[st.integers(0, 12)] * 4).filter(any),
    st.lists(st.sampled_from(["a", "b", "c", "d", None]), min_size=1, max_size=9),
)
def test_clusters_change_no_count_and_narrow_no_interval(counts, clusters):
    found = compare(pairs(clusters, **dict(zip(CHANGES, counts, strict=True))))
    alone = comparison(*counts)
    assert (found.kept, found.lost, found.gained, found.missed) == counts
    assert found.design_effect >= 1
    assert found.interval[0] <= alone.interval[0] + 1e-9
    assert found.interval[1] >= alone.interval[1] - 1e-9
    assert abs(found.mid_p - 0.5) <= abs(alone.mid_p - 0.5) + 1e-9


# Several suites


def test_pooled_counts_are_sums():
    strata = [comparison(80, 12, 2, 6), comparison(30, 3, 0, 17)]
    found = pooled(strata)
    assert (found.kept, found.lost, found.gained, found.missed) == (110, 15, 2, 23)
    assert found.interval == pytest.approx(stratified_interval([12, 3], [2, 0], [100, 50]))
    assert found.mid_p == pytest.approx(mcnemar_mid_p(15, 2))
    assert (found.clusters, found.design_effect, found.loss) == (None, 1.0, None)


def test_one_pooled_is_itself():
    alone = comparison(80, 12, 2, 6)
    found = pooled([alone])
    assert found.interval == pytest.approx(alone.interval)
    assert found.mid_p == pytest.approx(alone.mid_p)


def test_pooled_clusters_count_by_their_design_effect():
    strata = [
        compare(pairs([f"c{i // 10}" for i in range(100)], lost=12, kept=88)),
        comparison(45, 3, 2, 0),
    ]
    found, effect = pooled(strata), strata[0].design_effect
    assert effect > 3
    assert found.clusters == 10 + 50
    assert found.design_effect == pytest.approx(150 / (100 / effect + 50))
    assert found.interval == pytest.approx(
        stratified_interval(
            [12, 3], [0, 2], [100, 50], design_effects=[effect, 1], quantile=student_quantile(60 - 2)
        )
    )
    assert found.mid_p == pytest.approx(float(effective_mid_p(12 / effect + 3, 2)))


def test_nothing_to_pool_is_an_error():
    with pytest.raises(NoEvidenceError):
        pooled([])


# Texts


BITS = [(100.0, 101.0), (50.0, 52.0), (80.0, 80.5), (120.0, 126.0), (60.0, 60.0), (90.0, 91.8)]


def test_the_rise_is_that_of_the_mean_log_ratio():
    found = rise(texts(BITS))
    logs = np.log([after / before for before, after in BITS])
    low, high = ttest_1samp(logs, 0).confidence_interval(0.90)
    assert found.mean == pytest.approx(math.exp(logs.mean()) - 1)
    assert found.interval == pytest.approx((math.exp(low) - 1, math.exp(high) - 1))
    assert found.p == pytest.approx(ttest_1samp(logs, 0, alternative="greater").pvalue)


def test_texts_that_did_not_change_rose_by_nothing():
    assert rise(texts([(100, 100), (50, 50)])) == Rise(0.0, (0.0, 0.0), 0.5)


@pytest.mark.parametrize("bad", [0.0, math.inf, math.nan])
def test_a_text_without_a_likelihood_is_no_evidence(bad):
    with pytest.raises(NoEvidenceError, match="a cost must be positive and finite to have a ratio"):
        rise(texts([(100, 100), (100, bad)]))


@pytest.mark.parametrize(
    "asked", [pairs(kept=3), [Pair(each.probe, None, each.tuned) for each in texts(BITS)]]
)
def test_answers_are_no_texts(asked):
    with pytest.raises(NoEvidenceError, match="a text has no likelihood"):
        rise(asked)
