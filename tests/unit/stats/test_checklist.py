"""How often a checklist is red, against every outcome counted one by one."""

from __future__ import annotations

from itertools import product
from math import prod

import pytest

from harness.errors import NoEvidenceError
from harness.stats.checklist import chance_red, lost_by_majority


@pytest.mark.parametrize("asks", range(1, 7))
@pytest.mark.parametrize("rate", [0.0, 0.05, 0.3, 1.0])
def test_a_majority_that_begins_with_a_loss(asks, rate):
    wanted = sum(
        prod(rate if lost else 1 - rate for lost in outcome)
        for outcome in product((True, False), repeat=asks)
        if outcome[0] and 2 * sum(outcome) > asks
    )
    assert lost_by_majority(asks, rate) == pytest.approx(wanted)


@pytest.mark.parametrize("critical", [[], [0.1], [0.2, 0.5]])
@pytest.mark.parametrize("others", [[], [0.3], [0.1, 0.2, 0.3, 0.4]])
def test_one_critical_probe_or_two_others(critical, others):
    chances = [*critical, *others]
    wanted = sum(
        prod(chance if lost else 1 - chance for chance, lost in zip(chances, outcome, strict=True))
        for outcome in product((True, False), repeat=len(chances))
        if any(outcome[: len(critical)]) or sum(outcome[len(critical) :]) >= 2
    )
    assert chance_red(critical, others) == pytest.approx(wanted)


def test_the_shipped_rule_by_its_numbers():
    """At 10 % flips and no loss at most 5 % red; three of the others lost for good, red in 95 %."""
    lost = lost_by_majority(4, 0.05)
    assert chance_red([lost] * 4, [lost] * 17) < 0.05
    assert chance_red([lost] * 4, [lost] * 14 + [1.0] * 3) > 0.95


@pytest.mark.parametrize(("asks", "rate"), [(0, 0.1), (2, -0.1), (2, 1.1), (2, float("nan"))])
def test_no_evidence(asks, rate):
    with pytest.raises(NoEvidenceError):
        lost_by_majority(asks, rate)
