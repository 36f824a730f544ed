"""Asking until it is decided: in which order, when it stops, and how many probes that takes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from harness.evaluation.ask import Answered
from harness.evaluation.sequential import ask_until_decided, asking_order, pauses, sequential_case
from harness.evaluation.session import PairSession
from harness.gate.cases import cases
from harness.gate.decide import decide
from harness.gate.policy import Policy
from harness.scoring import SCORERS, Score
from harness.stats.sequential import boundaries, course, look_sizes
from harness.suites.suite import EachGate, MarginGate, Probe, RiseGate, Suite
from tests.support.findings import CHANGES

MENTIONS = SCORERS["mentions"]()
ALL = MarginGate(over="all", max_drop=0.1)
CATEGORIES = MarginGate(over="category", max_drop=0.2)


def suite_of(n: int, *gates, categories: int = 4, clusters: int | None = None) -> Suite:
    return Suite(
        "s",
        gates or (ALL, CATEGORIES),
        tuple(
            Probe(
                f"p{i}",
                MENTIONS,
                category=f"c{i % categories}",
                cluster=None if clusters is None else f"t{i % clusters}",
            )
            for i in range(n)
        ),
    )


def session_of(suite: Suite) -> PairSession:
    session = PairSession()
    session.need(cases(suite))
    return session


def asked(suite: Suite, change_of, seed: int = 0, strict: bool = False) -> PairSession:
    """A session after asking; the n-th probe that is asked, from 0, changes by `change_of(n, probe)`."""
    session = session_of(suite)
    run, number = session.suites[suite.name], iter(range(len(suite.probes)))

    def ask(probes):
        before, after = {}, {}
        for probe in probes:
            right = CHANGES[change_of(next(number), probe)]
            before[probe.id], after[probe.id] = (Score(side, "") for side in right)
        run.know("baseline", Answered({}, before))
        run.know("tuned", Answered({}, after))

    case = sequential_case(run)
    assert case is not None
    ask_until_decided(run, case, seed, ask, strict)
    return session


def stop_of(session: PairSession):
    return session.suites["s"].stop


def decisions(session: PairSession, suite: Suite, policy: Policy = Policy()):
    return decide([session.find(case) for case in cases(suite)], policy)


# Order


def test_the_order_depends_on_the_seed_alone_and_has_each_probe_once():
    probes = suite_of(100).probes
    order = asking_order(probes, 1)
    assert order == asking_order(probes, 1)
    assert order != asking_order(probes, 2)
    assert order != list(probes)
    assert sorted(order, key=probes.index) == list(probes)


@pytest.mark.parametrize("sizes", [(60, 30, 10), (1, 1, 98), (25, 25, 25, 25)])
def test_every_beginning_has_its_share_of_each_category(sizes):
    probes = [
        Probe(f"{category}-{i}", MENTIONS, category=str(category))
        for category, size in enumerate(sizes)
        for i in range(size)
    ]
    order = asking_order(probes, 5)
    for n in range(1, len(order) + 1):
        counts = Counter(probe.category for probe in order[:n])
        for category, size in enumerate(sizes):
            assert abs(counts[str(category)] - size * n / len(order)) < 2


def test_the_places_in_a_category_are_random():
    """Which probe of a category comes first is as good as drawn by lot."""
    probes = suite_of(40).probes
    first = Counter(asking_order(probes, seed)[0].id for seed in range(400))
    assert len(first) > 35
    assert max(first.values()) < 30


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (336, [32, 64, 84, 168, 252, 336]),
        (1000, [32, 64, 128, 250, 500, 750, 1000]),
        (128, [32, 64, 96, 128]),
        (46, [12, 23, 35, 46]),
    ],
)
def test_bets_come_before_the_first_look_in_ever_larger_steps(n, expected):
    assert pauses(look_sizes(n)) == expected


# Which suites


@pytest.mark.parametrize(
    "gates",
    [
        (CATEGORIES,),
        (ALL, EachGate()),
        (ALL, EachGate(require="pass")),
        (EachGate(),),
        (RiseGate(over="all", max_rise=0.01),),
        (MarginGate(over="all", max_drop=0.02),),  # 60 probes are too few for a RETAINED
        (MarginGate(over="all", max_drop=1.0),),
    ],
)
def test_suites_to_ask_whole(gates):
    assert sequential_case(session_of(suite_of(60, *gates)).suites["s"]) is None


def test_a_suite_with_a_gate_over_all_probes_may_stop():
    for gates in [(ALL,), (ALL, CATEGORIES), (MarginGate(over="all", max_drop=0),)]:
        case = sequential_case(session_of(suite_of(60, *gates)).suites["s"])
        assert case is not None
        assert case.slice == "all"


# Where it stops


def test_a_capability_that_is_kept_is_retained_at_a_look():
    suite = suite_of(336)
    session = asked(suite, lambda n, probe: "kept")
    stop = stop_of(session)
    assert (len(stop.asked), stop.of, stop.look, stop.why) == (168, 336, 2, "retained at look 2")
    whole, *rest = decisions(session, suite)
    assert (whole.verdict, whole.outcome, whole.comparison.n) == ("RETAINED", "passed", 168)
    assert [(row.outcome, row.why) for row in rest] == [
        ("skipped", "not gated: asking stopped after 168 of 336 probes")
    ] * 4
    assert {row.comparison.n for row in rest} == {42}


def test_the_interval_is_that_of_the_look():
    session = asked(suite := suite_of(336), lambda n, probe: "kept")
    reach = boundaries((0.25, 0.5, 0.75, 1.0))[1]
    interval = decisions(session, suite)[0].comparison.interval
    assert interval == pytest.approx((-(reach**2) / (168 + reach**2), reach**2 / (168 + reach**2)))


@pytest.mark.parametrize("policy", [Policy(), Policy(strict=True)])
def test_what_is_lost_whole_is_hopeless_after_the_first_bet(policy):
    suite = suite_of(336)
    session = asked(suite, lambda n, probe: "lost" if n % 2 else "kept")
    stop = stop_of(session)
    assert (len(stop.asked), stop.look, stop.why) == (32, None, "hopeless after 32 probes")
    whole, *rest = decisions(session, suite, policy)
    assert (whole.verdict, whole.outcome) == ("FORGOTTEN", "failed")
    low, high = whole.comparison.interval
    assert 0.1 < low < 0.5 < high
    assert {row.outcome for row in rest} == {"skipped"}


def test_a_smaller_loss_is_forgotten_at_a_look():
    stop = stop_of(asked(suite_of(336), lambda n, probe: "lost" if n % 5 == 0 else "kept"))
    assert stop.why == "forgotten at look 2"


def test_the_share_of_what_was_known_decides_too():
    """A fifth of the probes known, half of it lost: a drop of 10 points within the margin, but half of what was known."""

    def change_of(n, probe):
        return "lost" if n % 10 == 0 else "kept" if n % 10 == 5 else "missed"

    either = replace(ALL, max_drop=0.19, max_loss=0.15)
    assert stop_of(asked(suite_of(600, either), change_of)).why.startswith("forgotten at look")
    assert stop_of(asked(suite_of(600, replace(ALL, max_drop=0.19)), change_of)).why == "retained at look 2"


def test_it_is_not_retained_while_the_share_lost_may_be_over_its_margin():
    """No probe flips, but of what the baseline knew too little was asked to be sure."""

    def change_of(n, probe):
        return "kept" if n % 10 == 0 else "missed"

    drop_alone = stop_of(asked(suite_of(600, replace(ALL, max_drop=0.05)), change_of))
    both = stop_of(asked(suite_of(600, replace(ALL, max_drop=0.05, max_loss=0.10)), change_of))
    assert (drop_alone.look, both.look) == (2, 3)


def test_what_is_not_decided_is_asked_whole_and_gated_as_ever():
    suite = suite_of(336)
    session = asked(suite, lambda n, probe: "lost" if n % 12 == 0 else "kept")
    stop = stop_of(session)
    assert (len(stop.asked), stop.look, stop.why, stop.early) == (336, 4, "all asked", False)
    whole, *rest = decisions(session, suite)
    assert (whole.verdict, whole.outcome, whole.comparison.n) == ("INCONCLUSIVE", "warned", 336)
    assert whole.comparison.reach == pytest.approx(boundaries((0.25, 0.5, 0.75, 1.0))[3])
    assert {row.comparison.n for row in rest} == {84}
    assert {row.standing for row in rest}.isdisjoint({"undecided", "not gated"})
    assert decisions(session, suite, Policy(strict=True))[0].outcome == "failed"


def test_a_suite_is_not_retained_while_a_category_is_lost():
    """A fiftieth of the suite, all of it lost: too little to show in the whole."""

    def change_of(n, probe):
        return "lost" if probe.category == "c0" else "kept"

    suite = suite_of(1000, categories=50)
    session = asked(suite, change_of)
    assert stop_of(session).why == "all asked"
    whole, lost, *rest = decisions(session, suite)
    assert (whole.outcome, lost.verdict, lost.outcome) == ("passed", "FORGOTTEN", "failed")
    assert {row.verdict for row in rest} == {"RETAINED"}
    alone = replace(suite, gates=(ALL,))
    assert stop_of(asked(alone, change_of)).why.startswith("retained at look")


def test_a_category_may_lose_what_its_margin_allows_and_the_suite_still_stop():
    suite = suite_of(336, ALL, replace(CATEGORIES, max_drop=0.9))
    stop = stop_of(asked(suite, lambda n, probe: "lost" if n == 3 else "kept"))
    assert stop.why.startswith("retained at look")


def test_a_strict_run_decides_every_category():
    suite = suite_of(336)
    session = asked(suite, lambda n, probe: "kept", strict=True)
    assert stop_of(session).why == "all asked"
    assert {row.outcome for row in decisions(session, suite, Policy(strict=True))} == {"passed"}
    without = asked(suite_of(336, ALL), lambda n, probe: "kept", strict=True)
    assert stop_of(without).why == "retained at look 2"


@pytest.mark.parametrize("n", [336, 500])
def test_nothing_is_retained_of_a_baseline_that_knows_nothing(n):
    session = asked(suite := suite_of(n), lambda n, probe: "missed")
    assert stop_of(session).why == "all asked"
    assert {row.verdict for row in decisions(session, suite)} == {"VACUOUS"}


def test_probes_that_go_together_take_longer():
    """Every probe of two templates in 20 is lost: independent probes would show that it is no more."""

    def change_of(n, probe):
        return "lost" if probe.cluster in ("t0", "t1") and int(probe.id[1:]) % 4 else "kept"

    apart = suite_of(600, categories=1, clusters=20)
    suite = replace(apart, probes=tuple(replace(probe, cluster=None) for probe in apart.probes))
    lost = {probe.id for probe in apart.probes if change_of(0, probe) == "lost"}
    margin = replace(ALL, max_drop=0.15)
    together = asked(replace(apart, gates=(margin,)), change_of)
    alone = asked(replace(suite, gates=(margin,)), lambda n, probe: "lost" if probe.id in lost else "kept")
    assert stop_of(alone).look < stop_of(together).look
    (decision,) = decisions(together, replace(apart, gates=(margin,)))
    assert decision.comparison.design_effect > 2


def test_a_category_of_which_nothing_was_asked_decides_nothing():
    probes = tuple(Probe(f"p{i}", MENTIONS, category="rare" if i == 0 else "common") for i in range(336))
    suite = Suite("s", (ALL, CATEGORIES), probes)
    seed = next(seed for seed in range(100) if asking_order(probes, seed).index(probes[0]) >= 32)
    session = asked(suite, lambda n, probe: "lost", seed)
    _, rare, _ = decisions(session, suite)
    assert (rare.outcome, rare.pairs, rare.comparison) == ("skipped", (), None)


# How many probes it takes


@pytest.mark.parametrize(("drop", "without_bets"), [(0.0, True), (0.2, False)])
def test_as_many_probes_as_enumeration_says(drop, without_bets):
    """The e-process stops a run with a drop of 20 points sooner than the looks, and hardly ever one without."""
    suite, rng, gain = suite_of(120, ALL), np.random.default_rng(11), 0.05
    numbers = []
    for seed in range(40):
        change = rng.choice(["lost", "gained", "kept"], p=[drop + gain, gain, 1 - drop - 2 * gain], size=120)
        numbers.append(len(stop_of(asked(suite, lambda n, probe, change=change: change[n], seed)).asked))
    expected = course(look_sizes(120), 0.1, drop, gain).expected_n
    error = 3 * np.std(numbers) / np.sqrt(len(numbers))
    if without_bets:
        assert abs(np.mean(numbers) - expected) < error
    else:
        assert np.mean(numbers) < expected + error
