"""The gate over answers that flip: in both directions, pooled over suites, and undecided where its interval straddles the margin."""

from __future__ import annotations

import pytest

from harness.gate.cases import FLIPS, flips_case, with_overall
from harness.gate.compare import flip_rate
from harness.gate.decide import decide
from harness.gate.finding import find
from harness.gate.overall import find_overall
from harness.gate.policy import Policy
from harness.reporting.exit_code import exit_code, undecided_suites
from harness.reporting.gate_lines import claim, interval, margin
from harness.reporting.measured import measured
from harness.reporting.record import gate_row
from harness.stats.rates import wilson_interval
from harness.suites.suite import MarginGate, RiseGate
from tests.support.findings import case, found, pairs, texts

ALL = MarginGate(over="all", max_drop=0.1)


def flips(margin: float = 0.05, **counts: int):
    [decision] = decide([find_overall(flips_case(margin), [found(ALL, **counts)])], Policy(max_flips=margin))
    return decision


@pytest.mark.parametrize(
    ("counts", "verdict", "outcome"),
    [
        ({"kept": 60}, "RETAINED", "passed"),
        ({"kept": 50}, "INCONCLUSIVE", "skipped"),  # 0 of 50 may still be 5.1 %
        ({"kept": 80, "lost": 20}, "FORGOTTEN", "failed"),
        ({"kept": 80, "gained": 20}, "FORGOTTEN", "failed"),
        ({"kept": 80, "lost": 10, "gained": 10}, "FORGOTTEN", "failed"),
        ({"kept": 95, "lost": 3, "gained": 2}, "INCONCLUSIVE", "skipped"),
        ({"missed": 200, "kept": 2}, "VACUOUS", "failed"),
    ],
)
def test_the_verdict_is_on_flips_in_both_directions(counts, verdict, outcome):
    decision = flips(**counts)
    assert (decision.verdict, decision.outcome) == (verdict, outcome)


def test_what_straddles_the_margin_says_so_and_what_settles_it():
    decision = flips(kept=95, lost=3, gained=2)
    assert decision.why == (
        "between 2.2 and 9.9 % of the probes flip, by 100 probes: with a margin of 5 % that can be either"
    )
    assert flips(kept=50).settling is not None


@pytest.mark.parametrize(("after", "flips"), [(100, 0), (101, 0), (99, 0), (103, 1), (97, 1)])
def test_a_text_flips_if_its_bits_change_in_either_direction(after, flips):
    texts_found = find(case(RiseGate(over="all", max_rise=0.5)), texts([(100, after)] * 60))
    overall = find_overall(flips_case(0.05), [texts_found])
    assert overall.flips is not None
    assert overall.flips.share == flips
    assert overall.verdict == ("FORGOTTEN" if flips else "RETAINED")


def test_a_share_without_flips_is_bounded_as_by_wilson():
    rate = flip_rate([pairs(kept=58), pairs(kept=60)])
    assert rate.share == 0
    assert rate.interval == pytest.approx((0, wilson_interval(0, 118)[1]), abs=1e-6)


def test_flips_of_one_template_count_as_fewer():
    apart = flip_rate([pairs(kept=80, lost=20)]).interval
    together = flip_rate([pairs([*"abcdefghij"], kept=80, lost=10, gained=10)]).interval
    clustered = flip_rate([[*pairs(["a"], lost=20), *pairs([*"bcdefgh"], kept=80)]]).interval
    assert clustered[1] - clustered[0] > apart[1] - apart[0]
    assert together[1] < clustered[1]


def test_there_is_a_case_even_of_one_suite_if_it_is_asked_for():
    whole = [case(ALL)]
    assert [one.slice for one in with_overall(whole, 0.03, max_flips=0.05)] == ["all", "flips"]
    assert [one.title for one in with_overall(whole, 0.03, max_flips=0.05)][-1] == FLIPS
    assert with_overall(whole, 0.03) == whole


def test_its_row_has_its_share_interval_and_margin():
    row = gate_row(flips(kept=80, lost=15, gained=5))
    assert (row.suite, row.slice, row.over) == ("overall", "flips", "overall")
    assert (row.flips, row.max_flips, row.lost, row.gained) == (0.2, 0.05, 15, 5)
    assert (measured(row).shown, interval(row), margin(row)) == ("20.0 %", "14.3 to 27.3 %", "5 %")
    assert claim(gate_row(flips(kept=60))) == "at most 4.3 % flip"


def test_a_run_whose_flips_are_undecided_is_no_pass():
    kept = gate_row(decide([found(ALL, kept=50)], Policy())[0])
    rows = [kept, gate_row(flips(kept=50))]
    assert exit_code([kept]) == 0
    assert exit_code(rows) == 5
    assert undecided_suites(rows, ()) == [FLIPS]
    assert exit_code([kept, gate_row(flips(kept=80, gained=20))]) == 1
